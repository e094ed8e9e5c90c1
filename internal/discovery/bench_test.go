package discovery

import "testing"

// What a call pays to find the nodes of a service that it has called before.
func BenchmarkLookup(b *testing.B) {
	d := New(&source{}, Options{})
	defer d.Close()
	d.Lookup("a")
	b.ReportAllocs()
	for b.Loop() {
		d.Lookup("a")
	}
}
