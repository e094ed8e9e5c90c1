// Package txt is what go-micro v2 says about nodes in multicast DNS: the names of
// its records, and the text that stands in them. It knows no packets.
package txt

import "github.com/rollcall-go/micro/registry"

// Record is what the text of a node says. Its id is in the name of the record, its
// address in records of other types, and the metadata of its service nowhere. The
// fields are those of v2's JSON, in its order.
type Record struct {
	Service   string
	Version   string
	Endpoints []*registry.Endpoint
	// Metadata is the node's.
	Metadata map[string]string
}

// WithoutSchemas returns r without what its endpoints take and return, for a text
// that is too long. Readers accept that, v2's as well: calls do not need it.
func (r Record) WithoutSchemas() Record {
	bare := make([]*registry.Endpoint, len(r.Endpoints))
	for i, e := range r.Endpoints {
		if e != nil {
			bare[i] = &registry.Endpoint{Name: e.Name, Metadata: e.Metadata}
		}
	}
	if r.Endpoints != nil {
		r.Endpoints = bare
	}
	return r
}

// WithoutEndpoints returns r without its endpoints, for a text that is too long
// even without schemas.
func (r Record) WithoutEndpoints() Record {
	r.Endpoints = nil
	return r
}

// Roughly what each part of a record takes in memory beside its text.
const (
	stringHead    = 16
	mapBytes      = 48  // empty
	mapFirstBytes = 288 // with one entry there is room for eight
	mapEntryBytes = 96
	endpointBytes = 64
	valueBytes    = 72
)

// Weight returns about how many bytes r takes in memory. Who keeps records that
// strangers send bounds their sum.
func (r Record) Weight() int {
	w := len(r.Service) + len(r.Version) + weightOf(r.Metadata)
	for _, e := range r.Endpoints {
		w += endpointBytes
		if e != nil {
			w += len(e.Name) + weightOf(e.Metadata) + weightOfValue(e.Request) + weightOfValue(e.Response)
		}
	}
	return w
}

// Weight returns about how many bytes a text takes in memory, which is much more than
// Size where it is cut into short strings.
func Weight(text []string) int { return Size(text) + stringHead*len(text) }

func weightOf(m map[string]string) int {
	if m == nil {
		return 0
	}
	w := mapBytes
	switch {
	case len(m) > 8:
		w += len(m) * mapEntryBytes
	case len(m) > 0:
		w += mapFirstBytes
	}
	for k, v := range m {
		w += len(k) + len(v)
	}
	return w
}

func weightOfValue(v *registry.Value) int {
	if v == nil {
		return 0
	}
	w := valueBytes + len(v.Name) + len(v.Type)
	for _, inner := range v.Values {
		w += weightOfValue(inner)
	}
	return w
}
