package logger

// NewFromEnv makes what DefaultLogger is made of.
func NewFromEnv() Logger { return newFromEnv() }

// ReplaceExit puts f in place of os.Exit until the returned function is called.
func ReplaceExit(f func(code int)) (restore func()) {
	old := exit
	exit = f
	return func() { exit = old }
}
