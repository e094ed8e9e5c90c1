package json

import (
	"encoding/json"
	"sync"
	"sync/atomic"

	format "github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/tree"
)

// values hold one document. Readers take what root points at, which never changes;
// writers put another in its place.
type values struct {
	root    atomic.Pointer[value]
	writing sync.Mutex
}

var _ reader.Values = (*values)(nil)

// newValues reads a document. A text that is no JSON is a string, as the value of one
// path may be. What opens it comes last, so that tests of v2 need give nothing.
func newValues(set *source.ChangeSet, open ...func(document any) any) (*values, error) {
	text, err := reader.ReplaceEnvVars(set.Data)
	if err != nil {
		return nil, err
	}
	var document any
	if len(text) > 0 {
		if err := format.NewEncoder().Decode(text, &document); err != nil {
			document = string(text)
		}
	}
	for _, f := range open {
		if f != nil {
			document = f(document)
		}
	}
	v := new(values)
	v.root.Store(newValue(document))
	return v, nil
}

func (v *values) Get(path ...string) reader.Value {
	at := v.root.Load()
	for _, key := range path {
		if at = at.field(key); at == nil {
			return nothing
		}
	}
	return at
}

func (v *values) Set(val any, path ...string) {
	v.change(func(root map[string]any) any {
		if len(path) == 0 {
			return plain(val)
		}
		tree.Put(root, plain(val), path...)
		return root
	})
}

func (v *values) Del(path ...string) {
	v.change(func(root map[string]any) any {
		tree.Delete(root, path...)
		return root
	})
}

// change puts what f makes of a copy of the document in the document's place.
func (v *values) change(f func(root map[string]any) any) {
	v.writing.Lock()
	defer v.writing.Unlock()
	object, _ := v.root.Load().raw.(map[string]any)
	v.root.Store(newValue(f(tree.Merge(nil, object))))
}

// Copy returns values that are the same until one of the two is changed.
func (v *values) Copy() reader.Values {
	c := new(values)
	c.root.Store(v.root.Load())
	return c
}

func (v *values) Bytes() []byte { return text(v.root.Load().raw) }

func (v *values) Map() map[string]any {
	object, ok := v.root.Load().raw.(map[string]any)
	if !ok {
		return nil
	}
	return tree.Merge(nil, object)
}

func (v *values) Scan(into any) error { return v.root.Load().Scan(into) }

func (v *values) String() string { return "json" }

// plain returns v as a decoder would have returned it, v itself if it cannot be
// written as JSON.
func plain(v any) any {
	switch v.(type) {
	case nil, string, bool, json.Number:
		return v
	}
	b, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var read any
	if err := format.NewEncoder().Decode(b, &read); err != nil {
		return v
	}
	return read
}

// text returns v as JSON, null for what cannot be written as such.
func text(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return b
}
