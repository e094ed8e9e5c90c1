package center

import (
	"cmp"
	"fmt"
)

// Kind says what a key holds. Keys of different kinds have nothing to do with one
// another, even if they are spelled alike.
type Kind string

// The kinds. A release may change keys of all of them.
const (
	// KindValue is a value of the configuration, which every reader sees.
	KindValue Kind = ""
	// KindSchema is what the values at and below the key have to be.
	KindSchema Kind = "schema"
	// KindGray is values for some nodes alone. The key is a name.
	KindGray Kind = "gray"
)

// item is one key of one kind.
type item struct {
	kind Kind
	key  string
}

// String implements fmt.Stringer, as errors name it.
func (i item) String() string {
	if i.kind == KindValue {
		return fmt.Sprintf("key %q", i.key)
	}
	return fmt.Sprintf("%s %q", i.kind, i.key)
}

// region names a key and all below it, as errors do.
func region(kind Kind, under string) string {
	switch {
	case under != "":
		return fmt.Sprintf("%s and what is below it", item{kind, under})
	case kind == KindValue:
		return "all keys"
	}
	return fmt.Sprintf("all %ss", kind)
}

// prefix returns what stands before the keys of a kind.
func (c *Center) prefix(k Kind) string {
	l := c.etcd.Layout()
	switch k {
	case KindSchema:
		return l.ConfigSchemas()
	case KindGray:
		return l.ConfigGrays()
	}
	return l.Config()
}

// place returns where an item stands in etcd.
func (c *Center) place(i item) string { return c.prefix(i.kind) + i.key }

func compare(a, b item) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
}
