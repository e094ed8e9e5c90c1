package center

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/gray"
	"github.com/rollcall-go/micro/internal/keytree"
)

// Status is who runs what, as of one revision of etcd.
type Status struct {
	Revision int64 `json:"revision"`
	// Release is the number of the newest release, 0 if there is none, and Released when it
	// was made.
	Release  int64     `json:"release"`
	Released time.Time `json:"released,omitzero"`
	// Instances are in the order of services and nodes.
	Instances []Instance `json:"instances"`
	// Unread says of each record that is none of an instance why.
	Unread []string `json:"unread,omitempty"`
	// Hidden names what the user may not read: "values", "grays", "releases". Instances of
	// which it is not known for that what they are to have are Unknown.
	Hidden []string `json:"hidden,omitempty"`
}

// Instance is one running program, and what it has in force of one configuration. A
// program that reads several has as many.
type Instance struct {
	Service     string `json:"service"`
	Node        string `json:"node"`
	Host        string `json:"host,omitempty"`
	Version     string `json:"version,omitempty"`
	Environment string `json:"environment,omitempty"`
	// Prefix and layers say which keys it reads.
	Prefix  string    `json:"prefix"`
	Layered bool      `json:"layered,omitempty"`
	State   RunState  `json:"state"`
	Since   time.Time `json:"since,omitzero"` // when what is in force came into force
	Refused []Refusal `json:"refused,omitempty"`
	More    int       `json:"more,omitempty"` // how many there are beyond those of Refused
	Grays   []string  `json:"grays,omitempty"`
	Stale   string    `json:"stale,omitempty"` // why it hears of no changes, "" if it does
	// Revision is etcd's, up to which it has every change of what it reads, or refuses it.
	// Newest is the last of those changes.
	Revision int64  `json:"revision"`
	Newest   int64  `json:"newest"`
	Checksum string `json:"checksum"` // of the values in force, see docs/WIRE.md

	key   string
	reads layout.ReadsRecord
}

// RunState says how what an instance runs compares to what there is.
type RunState string

// The states. Of several that are true the first one counts.
const (
	// Stale: it hears of no changes.
	Stale RunState = "stale"
	// Refusing: it does not take a value, and stays at the last good one.
	Refusing RunState = "refusing"
	// Unknown: it hears of changes and refuses nothing; the user may not read what it reads.
	Unknown RunState = "unknown"
	// Behind: it has yet to take a change.
	Behind RunState = "behind"
	// OnGray: it has all that there is, and gray values over it.
	OnGray RunState = "gray"
	// Current: it has all that there is.
	Current RunState = "current"
)

// Refusal is a value that an instance refuses, or a part of the program that does not take
// its value.
type Refusal struct {
	Key      string   `json:"key,omitempty"`      // of the value, as in etcd
	Revision int64    `json:"revision,omitempty"` // at which it was written
	Path     []string `json:"path,omitempty"`     // of the value of a part, empty for the whole
	Reason   string   `json:"reason"`
}

// Where names the key or the path.
func (r Refusal) Where() string {
	if r.Key != "" {
		return r.Key
	}
	return cmp.Or(strings.Join(r.Path, "/"), "the whole configuration")
}

// Status returns the instances of a service, of every service if that is empty, that say
// what they have in force. It does not know those that say nothing: programs of go-micro
// v2, users who may not write below /micro/rollcall/config/applied/, and who has been away
// from etcd for longer than a lease lasts. It takes the right to read what they say; of who
// may not read all values and grays besides, see Hidden.
func (c *Center) Status(ctx context.Context, service string) (Status, error) {
	l := c.etcd.Layout()
	records := etcd.Below(l.ConfigApplied())
	if service != "" {
		records = etcd.Below(l.ConfigAppliedOf(service))
	}
	read, err := c.shelf(ctx, records)
	if err != nil {
		return Status{}, err
	}
	s := Status{Revision: read.revision, Instances: []Instance{}, Hidden: read.hidden()}
	if len(read.newest) == 1 {
		if r, err := c.release(read.newest[0]); err == nil {
			s.Release, s.Released = r.Number, r.When
		}
	}
	now := newWanted(l, read)
	for _, kv := range read.records {
		i, err := instanceOf(l, kv.Key, kv.Value)
		if err != nil {
			s.Unread = append(s.Unread, err.Error())
			continue
		}
		if service == "" || i.Service == service {
			now.judge(&i)
			s.Instances = append(s.Instances, i)
		}
	}
	slices.SortStableFunc(s.Instances, func(a, b Instance) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Node, b.Node))
	})
	return s, nil
}

// instanceOf reads a record.
func instanceOf(l layout.Layout, key string, value []byte) (Instance, error) {
	r, err := l.DecodeApplied(key, value)
	if err != nil {
		return Instance{}, err
	}
	i := Instance{
		Service: r.Service, Node: r.Node, Host: r.Host, Version: r.Version, Environment: r.Environment,
		Prefix: r.Reads.Prefix, Layered: r.Reads.Layered, Since: r.At, More: r.More, Grays: r.Grays, Stale: r.Stale,
		Revision: r.Revision, Checksum: r.Checksum, key: key, reads: r.Reads,
	}
	for _, one := range r.Refused {
		i.Refused = append(i.Refused, Refusal(one))
	}
	return i, nil
}

// keysOf returns the keys that an instance reads.
func keysOf(l layout.Layout, r layout.ReadsRecord) keytree.Keys {
	k := keytree.Keys{Namespace: l.Root(), Prefix: r.Prefix, Strip: r.Strip}
	if r.Layered {
		k.Layers = keytree.NewLayers(r.Service, r.Environment)
	}
	return k
}

// wanted is what instances are to have in force.
type wanted struct {
	*shelf
	layout    layout.Layout
	byKey     map[string]etcd.KV // of etcd
	named     map[string]gray.Record
	written   map[string]int64 // when each gray was
	newest    map[layout.ReadsRecord]int64
	checksums map[string]string
}

func newWanted(l layout.Layout, s *shelf) *wanted {
	w := &wanted{
		shelf: s, layout: l, byKey: make(map[string]etcd.KV, len(s.values)), named: make(map[string]gray.Record), written: make(map[string]int64),
		newest: make(map[layout.ReadsRecord]int64), checksums: make(map[string]string),
	}
	for _, kv := range s.values {
		w.byKey[kv.Key] = kv
	}
	for _, kv := range s.grays {
		if r, err := gray.Decode(kv.Value); err == nil {
			name := strings.TrimPrefix(kv.Key, l.ConfigGrays())
			w.named[name], w.written[name] = r, kv.Written
		}
	}
	return w
}

// judge fills in what an instance is to have, and how far it is from that.
func (w *wanted) judge(i *Instance) {
	i.Newest = w.newestOf(i.reads)
	switch {
	case i.Stale != "":
		i.State = Stale
	case len(i.Refused) > 0:
		i.State = Refusing
	case w.unknown(w.layout, i.reads):
		i.State = Unknown
	case i.Revision < i.Newest || i.Checksum != w.checksumOf(*i):
		i.State = Behind
	case len(i.Grays) > 0:
		i.State = OnGray
	default:
		i.State = Current
	}
}

// newestOf returns the revision of the last write of what is read. What was deleted does not
// show in it.
func (w *wanted) newestOf(r layout.ReadsRecord) int64 {
	newest, known := w.newest[r]
	if known {
		return newest
	}
	k := keysOf(w.layout, r)
	for key, kv := range w.byKey {
		if kv.Written > newest && k.Has(key) {
			newest = kv.Written
		}
	}
	for name, g := range w.named {
		if at := w.written[name]; at > newest && !r.NoGrays && touches(w.layout, k, g.Keys()) {
			newest = at
		}
	}
	w.newest[r] = newest
	return newest
}

// touches reports whether one of the keys is read.
func touches(l layout.Layout, k keytree.Keys, keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return k.Has(l.Config() + key) })
}

// checksumOf returns the checksum of what an instance with its grays is to have. Of one that
// reads other keys beside those of the configuration it is what it says.
func (w *wanted) checksumOf(i Instance) string {
	k := keysOf(w.layout, i.reads)
	if !strings.HasPrefix(k.All()+"/", w.layout.Config()) {
		return i.Checksum
	}
	id := strings.Join(append([]string{i.reads.Prefix, i.reads.Service, i.reads.Environment}, i.Grays...), "\n")
	if i.reads.Layered {
		id += "\n\n"
	}
	if known := w.checksums[id]; known != "" {
		return known
	}
	values := make(map[string][]byte, len(w.byKey))
	for key, kv := range w.byKey {
		values[key] = kv.Value
	}
	for _, name := range slices.Sorted(slices.Values(i.Grays)) {
		for key, text := range maps.All(w.named[name].Values) {
			if text == nil {
				delete(values, w.layout.Config()+key)
			} else {
				values[w.layout.Config()+key] = []byte(*text)
			}
		}
	}
	w.checksums[id] = k.Checksum(values)
	return w.checksums[id]
}
