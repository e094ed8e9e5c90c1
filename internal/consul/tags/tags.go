// Package tags writes a record into the tags of a Consul service, and reads it from
// there, as the Consul plugin of go-micro v2 does.
//
// A tag is a letter for what it holds, "-", and its content compressed by zlib, in
// lower-case hexadecimal:
//
//	t-  one entry of the node's metadata, as a JSON object with one key
//	e-  one endpoint, as JSON
//	v-  the version, as it is
//	s-  the service's metadata, as a JSON object; v2 has no place for it, and passes over it
//	i-  the id of the node, where the instance has another one; v2 passes over it too
//
// Older plugins wrote t=, e= and v= with the plain content behind. Those are read.
// Where tags of both forms hold the same kind of thing, the form of the first counts.
package tags

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-go/micro/internal/deflated"
	"github.com/rollcall-go/micro/registry"
)

// MaxRecord bounds what the tags of one instance hold together once they are
// decompressed, in bytes. A tag of a kilobyte could otherwise become a megabyte. What is
// made of it takes less than 32 MB for a moment.
const MaxRecord = 1 << 20

// ErrTooLarge says that tags hold more than MaxRecord.
var ErrTooLarge = fmt.Errorf("the tags hold more than %d bytes", MaxRecord)

// Encode returns the tags of a service with one node, in an order that is always the
// same. id is that of the instance.
func Encode(s *registry.Service, n *registry.Node, id string) ([]string, error) {
	var tags []string
	size := 0
	add := func(kind string, content any) error {
		plain, ok := content.([]byte)
		if !ok {
			var err error
			if plain, err = json.Marshal(content); err != nil {
				return err
			}
		}
		if size += len(plain); size > MaxRecord {
			return fmt.Errorf("metadata, endpoints and version have more than %d bytes: shorten them", MaxRecord)
		}
		tags = append(tags, kind+"-"+deflated.Pack(plain))
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(n.Metadata)) {
		if err := add("t", map[string]string{key: n.Metadata[key]}); err != nil {
			return nil, err
		}
	}
	for _, e := range s.Endpoints {
		if e == nil {
			continue
		}
		if err := add("e", e); err != nil {
			return nil, err
		}
	}
	if err := add("v", []byte(s.Version)); err != nil {
		return nil, err
	}
	if len(s.Metadata) > 0 {
		if err := add("s", s.Metadata); err != nil {
			return nil, err
		}
	}
	if id != n.Id {
		if err := add("i", []byte(n.Id)); err != nil {
			return nil, err
		}
	}
	return tags, nil
}

// Record is what tags hold.
type Record struct {
	Version  string
	Metadata map[string]string // of the service
	NodeID   string            // empty if it is that of the instance
	Node     map[string]string // the node's metadata, never nil
	// Endpoints are in the order of the tags.
	Endpoints []*registry.Endpoint
	// Skipped is how many tags looked like ours and could not be read.
	Skipped int
	// Size is how many bytes the tags hold, decompressed.
	Size int
}

// Decode reads the tags of one instance, as a Decoder does those of many.
func Decode(tags []string) (Record, error) { return new(Decoder).Decode(tags) }

// Decoder reads tags. The zero value is ready. One goroutine uses it.
type Decoder struct{ unpacker deflated.Unpacker }

// Decode reads tags. Those that are not ours are passed over; those that look so and
// cannot be read are counted. It fails only with ErrTooLarge.
func (d *Decoder) Decode(tags []string) (Record, error) {
	r := Record{Node: map[string]string{}}
	var forms [256]byte // of each kind, by what was met first
	left := MaxRecord
	var shape deflated.Shape
	versioned := false
	for _, tag := range tags {
		if len(tag) < 2 || tag[1] != '-' && tag[1] != '=' {
			continue
		}
		kind, form := tag[0], tag[1]
		switch kind {
		case 't', 'e', 'v':
		case 's', 'i':
			if form == '=' {
				continue
			}
		default:
			continue
		}
		if forms[kind] != 0 && forms[kind] != form {
			continue
		}
		plain, err := d.content(tag, left)
		if errors.Is(err, deflated.ErrTooLarge) {
			return Record{}, ErrTooLarge
		}
		if err != nil {
			r.Skipped++
			continue
		}
		left -= len(plain)
		r.Size = MaxRecord - left
		forms[kind] = form
		if kind != 'v' && kind != 'i' && shape.Add(plain) != nil {
			return Record{}, ErrTooLarge
		}
		if err := r.take(kind, plain, &versioned); err != nil {
			r.Skipped++
		}
	}
	return r, nil
}

// take puts the content of a tag in its place.
func (r *Record) take(kind byte, plain []byte, versioned *bool) error {
	switch kind {
	case 't':
		var entry map[string]string
		if err := json.Unmarshal(plain, &entry); err != nil {
			return err
		}
		maps.Copy(r.Node, entry)
	case 'e':
		var e *registry.Endpoint
		if err := json.Unmarshal(plain, &e); err != nil {
			return err
		}
		if e == nil {
			return errors.New("there is no endpoint in it")
		}
		r.Endpoints = append(r.Endpoints, e)
	case 'v':
		if !*versioned { // the first counts
			r.Version, *versioned = string(plain), true
		}
	case 's':
		var all map[string]string
		if err := json.Unmarshal(plain, &all); err != nil {
			return err
		}
		r.Metadata = all
	case 'i':
		r.NodeID = string(plain)
	}
	return nil
}

// content returns what is in a tag, at most so many bytes.
func (d *Decoder) content(tag string, most int) ([]byte, error) {
	if tag[1] == '-' {
		return d.unpacker.Unpack(tag[2:], most)
	}
	if len(tag)-2 > most {
		return nil, deflated.ErrTooLarge
	}
	return []byte(tag[2:]), nil
}
