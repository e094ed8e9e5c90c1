// Package reader is the contract of what merges the texts of sources and of what
// answers for values.
package reader

import (
	"time"

	"github.com/rollcall-go/micro/config/source"
)

// Reader merges what sources hold and reads the result. It may be used by several
// goroutines at once.
type Reader interface {
	// Merge lays the sets over one another, the later over the earlier. nil and empty
	// sets say nothing. The error names the source of the set that cannot be read.
	Merge(...*source.ChangeSet) (*source.ChangeSet, error)
	// Values reads what Merge returned.
	Values(*source.ChangeSet) (Values, error)
	// String returns the name of the format of what Merge returns.
	String() string
}

// Refused is a value of a document that a Reader did not take: the last one at its path
// that it could take stays, or there is none.
type Refused struct {
	Path []string
	Err  error // without anything of what the value holds
}

// Refuser is a Reader that refuses values. Refused returns those of the newest call of
// Values. What they lack may come later: another call with the same document may take
// them.
type Refuser interface {
	Refused() []Refused
}

// Values are the values of one configuration. Methods may be called by several
// goroutines at once.
type Values interface {
	// Bytes returns all of it as text.
	Bytes() []byte
	// Get returns the value at path, without a path the whole. It never returns nil:
	// where nothing is, the Value gives the defaults that it is asked with.
	Get(path ...string) Value
	// Set puts a value at path. What is no object on the way there becomes one.
	Set(val any, path ...string)
	// Del removes what is at path, without a path everything.
	Del(path ...string)
	// Map returns all of it, as a copy that is the caller's.
	Map() map[string]any
	// Scan decodes all of it into v, a pointer.
	Scan(v any) error
}

// Value is one value as it was when it was asked for; it does not change. The methods
// return def where there is no value that can be read so.
type Value interface {
	// Bool reads true and false, and a string as strconv.ParseBool does.
	Bool(def bool) bool
	// Int reads a whole number, and a string that is one in decimal.
	Int(def int) int
	// String reads a string.
	String(def string) string
	// Float64 reads a number, and a string that is one.
	Float64(def float64) float64
	// Duration reads a string such as "1m30s". A number is none.
	Duration(def time.Duration) time.Duration
	// StringSlice reads a list of strings, and a string of several parts with commas
	// between them. For a list that holds something else it returns nil.
	StringSlice(def []string) []string
	// StringMap reads an object, its values printed as text.
	StringMap(def map[string]string) map[string]string
	// Scan decodes the value into val, a pointer. Without a value that is what JSON's
	// null does: a map, list or pointer becomes nil, anything else stays.
	Scan(val any) error
	// Bytes returns a string as it is, without quotes, and anything else as text of
	// JSON, which is null where there is no value.
	Bytes() []byte
}
