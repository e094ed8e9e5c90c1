package keytree

import "cmp"

// Locate returns the key that gives the value at a path of the configuration, or what it
// lies in, and the revision at which it was last written: of the keys that say something
// of it, the one that counts. Of what a gray gives it is the gray's.
func (v *View) Locate(path []string) (key string, revision int64, ok bool) {
	var best *entry
	for name, e := range v.inForce() {
		if !e.valid || !e.gives(path) {
			continue
		}
		// Of two keys that spell one path, as a/b and a//b below a/, the later by the byte counts.
		if best == nil || cmp.Or(cmp.Compare(e.layer, best.layer), cmp.Compare(len(e.path), len(best.path)), cmp.Compare(name, key)) > 0 {
			best, key = e, name
		}
	}
	switch {
	case best == nil:
		return "", 0, false
	case best.gray != "":
		key = best.gray
	}
	return key, best.revision, true
}

// gives reports whether there is a value at a path in what the entry holds.
func (e *entry) gives(path []string) bool {
	if len(path) < len(e.path) {
		return false
	}
	for i, part := range e.path {
		if path[i] != part {
			return false
		}
	}
	value := e.value
	for _, part := range path[len(e.path):] {
		fields, object := value.(map[string]any)
		if !object {
			return false
		}
		if value = fields[part]; value == nil {
			return false
		}
	}
	return true
}
