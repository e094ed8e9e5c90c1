package client

import "github.com/rollcall-go/micro/internal/defaults"

// Setting is a set of fields of CallOptions. It serves to tell a value that was
// given from a default that happens to be the same.
type Setting uint8

const (
	// SettingRequestTimeout is CallOptions.RequestTimeout.
	SettingRequestTimeout Setting = 1 << iota
	// SettingDialTimeout is CallOptions.DialTimeout.
	SettingDialTimeout
	// SettingIdempotent is CallOptions.Idempotent.
	SettingIdempotent
)

// Given reports whether an option gave s, or a program changed its default. It is
// for implementations of Client.
func Given(o CallOptions, s Setting) bool {
	if s == SettingDialTimeout && o.DialTimeout != defaults.DialTimeout {
		return true
	}
	return o.given&s == s
}

// ApplyCallOptions returns the options of a call, which are those of its client
// with opts applied, and the settings that opts gave. It is for implementations of
// Client.
func ApplyCallOptions(o CallOptions, opts ...CallOption) (applied CallOptions, given Setting) {
	before := o
	applied, applied.given = o, 0
	for _, opt := range opts {
		opt(&applied)
	}
	given = applied.given
	if applied.RequestTimeout != before.RequestTimeout { // an option of the program's own making
		given |= SettingRequestTimeout
	}
	if applied.DialTimeout != before.DialTimeout {
		given |= SettingDialTimeout
	}
	applied.given = before.given | given
	return applied, given
}
