package secret

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/rollcall-go/micro/config/reader"
	format "github.com/rollcall-go/micro/config/reader/json"
)

// NewReader returns the Reader of config/reader/json that opens secrets, for
// config.WithReader: sources, what is merged of them and snapshots on disk have them
// sealed, values have them open.
//
// A secret that cannot be opened is refused: the last one at its path that could be
// stays; without one there is no value. config.Status and the log say which key, and no
// text. It is tried again when the keys may have changed.
func NewReader(keys *Keys, opts ...reader.Option) reader.Reader {
	o := &opener{keys: keys}
	return &opening{format.NewReader(append(opts, reader.WithOpen(o.document))...), o}
}

type opening struct {
	reader.Reader
	*opener
}

var _ reader.Refuser = (*opening)(nil)

// String is that of both.
func (o *opening) String() string { return o.Reader.String() }

// opener opens the secrets of one configuration.
type opener struct {
	keys *Keys

	mu      sync.Mutex
	opened  map[string]opened // by path
	refused []reader.Refused
}

// opened is the last secret at a path that could be opened.
type opened struct {
	sealed string
	value  any
}

// Refused implements reader.Refuser.
func (o *opener) Refused() []reader.Refused {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.refused)
}

// document opens the secrets in a document, in place.
func (o *opener) document(document any) any {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.opened
	o.opened, o.refused = make(map[string]opened), nil
	document, _ = walk(document, nil, nil, func(at, path []string, sealed string) (any, bool) {
		return o.secret(sealed, strings.Join(at, "\xff"), path, before)
	})
	slices.SortFunc(o.refused, func(a, b reader.Refused) int { return slices.Compare(a.Path, b.Path) })
	return document
}

// secret returns the value of a secret, or the last one there that could be opened. It
// reports false if there is none. o.mu is held.
func (o *opener) secret(sealed, at string, path []string, before map[string]opened) (any, bool) {
	last, known := before[at]
	if !known || last.sealed != sealed {
		value, err := o.open(sealed, path)
		if err != nil {
			o.refused = append(o.refused, reader.Refused{Path: slices.Clone(path), Err: err})
			if known {
				o.opened[at] = last
			}
			return last.value, known
		}
		last = opened{sealed, value}
	}
	o.opened[at] = last
	return last.value, true
}

func (o *opener) open(sealed string, path []string) (value any, err error) {
	text, err := o.keys.Open(Place(path...), sealed)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&value) // it is JSON: Open looked
	return value, err
}
