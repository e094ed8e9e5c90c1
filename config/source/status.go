package source

import "time"

// Status says how far what a source last gave can be trusted.
type Status struct {
	// Source names the kind of source.
	Source string
	// Live is true while the source tells every change. While it is false, what it
	// holds is as it was at Confirmed.
	Live bool
	// Confirmed is when it was last known to be so, zero for never or unknown.
	Confirmed time.Time
	// Err says why the source is not live, or why the newest of it does not count.
	Err error
	// Refused are the values and grays that cannot be read, of each of which the last one
	// that could stays in force, and grays that another one lies over.
	Refused []Refused
	// Grays are the names of the grays in force: values that this instance has and others
	// have not.
	Grays []string
}

// Refused is a value that cannot be read.
type Refused struct {
	Key      string
	Revision int64 // of the store, when the value came
	Err      error // which says where in the value
}

// Reporter is a Source that knows its Status.
type Reporter interface {
	Status() Status
}

// Locator is a Source that knows where its values come from. Locate returns the key of
// the store that gives the value at path, or what it lies in, and the revision at which
// that key was written.
type Locator interface {
	Locate(path ...string) (key string, revision int64, ok bool)
}
