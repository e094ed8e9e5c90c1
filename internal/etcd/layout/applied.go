package layout

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// ConfigAppliedOf returns the prefix of what the instances of a service say.
func (l Layout) ConfigAppliedOf(service string) string {
	return l.ConfigApplied() + segment(service) + "/"
}

// Applied returns the key of what an instance says of the configuration that it reads, of
// which view tells it apart from others that it reads as well.
func (l Layout) Applied(service, node, view string) string {
	return l.ConfigAppliedOf(service) + segment(node) + "/" + segment(view)
}

// AppliedRecord is the value of such a key, as JSON: what one instance of a service has in
// force of one configuration in etcd.
type AppliedRecord struct {
	Service     string `json:"service"`
	Node        string `json:"node"`
	Host        string `json:"host,omitempty"`
	Version     string `json:"version,omitempty"`
	Environment string `json:"environment,omitempty"`
	// View tells this configuration apart from others of the instance.
	View  string      `json:"view"`
	Reads ReadsRecord `json:"reads"`
	// Revision is etcd's, up to which every change of what the instance reads is in force
	// or refused. Checksum is that of the values in force.
	Revision int64     `json:"revision"`
	Checksum string    `json:"checksum"`
	At       time.Time `json:"at"` // when that came into force
	// Grays are the gray values in force, by name.
	Grays []string `json:"grays,omitempty"`
	// Refused are the first values and parts that are refused, More how many there are
	// beyond those.
	Refused []RefusedRecord `json:"refused,omitempty"`
	More    int             `json:"more,omitempty"`
	// Stale says why the instance does not hear of changes, "" if it does.
	Stale string `json:"stale,omitempty"`
}

// ReadsRecord says which keys of its namespace an instance reads.
type ReadsRecord struct {
	Prefix string `json:"prefix"`
	// Strip leaves the prefix out of the paths of the values.
	Strip bool `json:"strip,omitempty"`
	// Layered says that the keys are those of the layers of Service and Environment.
	Layered     bool   `json:"layered,omitempty"`
	Service     string `json:"service,omitempty"`
	Environment string `json:"environment,omitempty"`
	// NoGrays says that the instance may not read gray values.
	NoGrays bool `json:"no_grays,omitempty"`
}

// RefusedRecord is something that an instance refuses: a value, or a part of the program
// that does not take its value.
type RefusedRecord struct {
	Key      string   `json:"key,omitempty"`      // of a value that cannot be read, as in etcd
	Revision int64    `json:"revision,omitempty"` // at which it was written
	Path     []string `json:"path,omitempty"`     // of the value of a part, empty for the whole
	Reason   string   `json:"reason"`
}

// Bounds of a record. What is longer is left out when it is written, and not believed when
// it is read.
const (
	appliedRefused = 20  // values and parts
	appliedReason  = 300 // bytes of a reason
	appliedSize    = 64 << 10
)

// Encode returns the value to store.
func (r AppliedRecord) Encode() ([]byte, error) {
	r.Stale = Reason(r.Stale)
	r.Refused = slices.Clone(r.Refused)
	for i := range r.Refused {
		r.Refused[i].Reason = Reason(r.Refused[i].Reason)
	}
	for keep := appliedRefused; ; keep /= 2 { // keys and paths may be as long as etcd takes
		if n := len(r.Refused) - keep; n > 0 {
			r.Refused, r.More = r.Refused[:keep], r.More+n
		}
		value, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("write what is in force: %w", err)
		}
		if len(value) <= appliedSize || keep == 0 {
			return value, nil
		}
	}
}

// Reason returns a reason on one line, cut short where it is long.
func Reason(text string) string {
	text = printable(strings.ToValidUTF8(text, "?"))
	if len(text) <= appliedReason {
		return text
	}
	return strings.ToValidUTF8(text[:appliedReason-3], "") + "..."
}

// DecodeApplied reads the value of a key. It returns an error for anything but what the
// instance that the key names can have written.
func (l Layout) DecodeApplied(key string, value []byte) (r AppliedRecord, err error) {
	fail := func(err error) (AppliedRecord, error) {
		return AppliedRecord{}, fmt.Errorf("read the record %q: %w", clip(key), err)
	}
	if len(value) > appliedSize {
		return fail(fmt.Errorf("it has %d bytes, and none of ours has more than %d", len(value), appliedSize))
	}
	if err := json.Unmarshal(value, &r); err != nil {
		return fail(errors.New("it is not JSON of the form that instances write"))
	}
	if l.Applied(r.Service, r.Node, r.View) != key || r.Service == "" || r.Node == "" || r.View == "" {
		return fail(errors.New("it is about another instance than its key"))
	}
	for _, name := range []string{r.Service, r.Node, r.Host, r.Version, r.Environment, r.View} {
		if strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) }) {
			return fail(errors.New("a name in it has a character that cannot be seen"))
		}
	}
	if len(r.Refused) > appliedRefused || r.More < 0 || r.Revision < 0 {
		return fail(errors.New("its numbers are not those of an instance"))
	}
	return r, nil
}
