package rpc

// ForgetUseNumber undoes UseNumber.
func ForgetUseNumber() { useNumber.Store(false) }
