package keytree

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
)

// Checksum is that of the values in force, each as the store has it, in hexadecimal: the
// SHA-256 of a line for each key, in the order of the keys. A line is the SHA-256 of the
// value in hexadecimal, two spaces, the key, and a line feed, as sha256sum writes it of
// files.
func (v *View) Checksum() string {
	c := checksum{sha256.New()}
	entries := v.inForce()
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if e := entries[key]; e.valid {
			c.add(key, e.sum)
		}
	}
	return c.text()
}

// Checksum is that of a View of these keys that has the values, by key.
func (k Keys) Checksum(values map[string][]byte) string {
	c := checksum{sha256.New()}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if k.Has(key) {
			c.add(key, sha256.Sum256(values[key]))
		}
	}
	return c.text()
}

type checksum struct{ hash.Hash }

func (c checksum) add(key string, sum [sha256.Size]byte) { fmt.Fprintf(c, "%x  %s\n", sum, key) }

func (c checksum) text() string { return hex.EncodeToString(c.Sum(nil)) }

// Path returns the path at which the value of a key counts. It reports false for a key that
// is no part of the configuration.
func (k Keys) Path(key string) ([]string, bool) {
	at, ok := k.place(key)
	return at.path, ok
}
