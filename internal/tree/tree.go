// Package tree works on configuration as decoders return it: objects are
// map[string]any, everything else is a value that is not looked into.
package tree

// Merge lays src over dst and returns the result, dst itself if it is not nil. The
// rule: what src has wins, zero values too; two objects become one with the fields of
// both; a list replaces a list; values of different kinds replace one another. null
// says nothing: it replaces no value. What dst gets of src are copies.
func Merge(dst, src map[string]any) map[string]any {
	if dst == nil {
		dst = make(map[string]any, len(src))
	}
	for key, v := range src {
		had, ok := dst[key]
		if v == nil && ok {
			continue
		}
		fields, object := v.(map[string]any)
		if !object {
			dst[key] = v
			continue
		}
		below, _ := had.(map[string]any)
		dst[key] = Merge(below, fields)
	}
	return dst
}

// Put sets the value at path in root, which may not be nil and is changed. What stands
// in the way and is no object is replaced by one. With an empty path an object is
// merged into root, and any other value reports false.
func Put(root map[string]any, v any, path ...string) bool {
	if len(path) == 0 {
		fields, ok := v.(map[string]any)
		if ok {
			Merge(root, fields)
		}
		return ok
	}
	for _, key := range path[:len(path)-1] {
		below, ok := root[key].(map[string]any)
		if !ok {
			below = make(map[string]any)
			root[key] = below
		}
		root = below
	}
	if fields, ok := v.(map[string]any); ok {
		v = Merge(nil, fields) // a copy: root is changed further
	}
	root[path[len(path)-1]] = v
	return true
}

// Delete removes what is at path from root, which is changed.
func Delete(root map[string]any, path ...string) {
	if len(path) == 0 {
		clear(root)
		return
	}
	for _, key := range path[:len(path)-1] {
		below, ok := root[key].(map[string]any)
		if !ok {
			return
		}
		root = below
	}
	delete(root, path[len(path)-1])
}
