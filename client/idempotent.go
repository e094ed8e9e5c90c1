package client

// Idempotent reports whether a call may run twice: as its options say or, where they say
// nothing, its request, by a method Idempotent() bool. It is for implementations of
// Client.
func Idempotent(req Request, o *CallOptions) bool {
	if o.Idempotent || o.given&SettingIdempotent != 0 {
		return o.Idempotent
	}
	r, ok := req.(interface{ Idempotent() bool })
	return ok && r.Idempotent()
}
