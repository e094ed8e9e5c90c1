// Package storetest is what a store.Store promises, as tests. Every implementation of the
// house passes them; run them for one of your own.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/store"
)

// Run tests the stores that open returns, each empty. A store that is a store.Versioned is
// tested as one.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	tests := []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"ARecordIsFoundAgain", found},
		{"NoRecord", missing},
		{"BadRecords", bad},
		{"OddKeys", odd},
		{"TablesAreApart", apart},
		{"MatchingInOrder", matching},
		{"ManyRecords", many},
		{"RecordsEnd", ending},
		{"WhatIsGivenIsTheCallers", copies},
		{"OptionsInForce", options},
		{"Versions", versions},
		{"OneOfManyWritersWins", race},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			tt.test(t, s)
		})
	}
}

func found(t *testing.T, s store.Store) {
	write(t, s, &store.Record{Key: "a", Value: []byte("1"), Metadata: map[string]any{"of": "somebody", "n": 1.5}})
	r := read(t, s, "a")
	if r.Key != "a" || string(r.Value) != "1" || r.Metadata["of"] != "somebody" || r.Metadata["n"] != 1.5 || r.Expiry != 0 {
		t.Errorf("read %+v", r)
	}
	write(t, s, &store.Record{Key: "a", Value: []byte{0, 0xff}})
	if r := read(t, s, "a"); !bytes.Equal(r.Value, []byte{0, 0xff}) || len(r.Metadata) != 0 {
		t.Errorf("written over: read %+v", r)
	}
	write(t, s, &store.Record{Key: "empty"})
	if r := read(t, s, "empty"); len(r.Value) != 0 {
		t.Errorf("an empty value: read %+v", r)
	}
	if err := s.Delete("a"); err != nil {
		t.Error(err)
	}
	if _, err := s.Read("a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
}

func missing(t *testing.T, s store.Store) {
	if r, err := s.Read("nobody"); !errors.Is(err, store.ErrNotFound) || len(r) != 0 {
		t.Errorf("read %v, %v", r, err)
	}
	for name, opt := range map[string]store.ReadOption{"prefix": store.ReadPrefix(), "suffix": store.ReadSuffix()} {
		if r, err := s.Read("nobody", opt); err != nil || len(r) != 0 {
			t.Errorf("by %s: read %v, %v", name, r, err)
		}
	}
	if err := s.Delete("nobody"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if keys, err := s.List(); err != nil || len(keys) != 0 {
		t.Errorf("list: %v, %v", keys, err)
	}
}

func bad(t *testing.T, s store.Store) {
	for name, r := range map[string]*store.Record{
		"none":            nil,
		"without a key":   {Value: []byte("1")},
		"ended, as given": {Key: "a", Expiry: -time.Second},
	} {
		if err := s.Write(r); err == nil {
			t.Errorf("a record that is %s was written", name)
		}
	}
	if err := s.Write(&store.Record{Key: "a"}, store.WriteExpiry(time.Now().Add(-time.Minute))); err == nil {
		t.Error("a record that ended a minute ago was written")
	}
	if err := s.Write(&store.Record{Key: "a"}, store.WriteTTL(-time.Minute)); err == nil {
		t.Error("a record with a TTL below 0 was written")
	}
	if keys := list(t, s); len(keys) != 0 {
		t.Errorf("there are %q", keys)
	}
}

func odd(t *testing.T, s store.Store) {
	keys := []string{" ", "%2F", "..", "/", "//", "a", "a/", "a/b", "a//b", "a\x00b", "Ключ", "ключ", "\xff"}
	for _, k := range keys {
		write(t, s, &store.Record{Key: k, Value: []byte(k)})
	}
	for _, k := range keys {
		if r := read(t, s, k); r.Key != k || string(r.Value) != k {
			t.Errorf("key %q: read %+v", k, r)
		}
	}
	slices.Sort(keys)
	if got := list(t, s); !slices.Equal(got, keys) {
		t.Errorf("list: %q, want %q", got, keys)
	}
}

func apart(t *testing.T, s store.Store) {
	scopes := [][2]string{{"d", "t"}, {"d/t", ""}, {"d", "t/u"}, {"d/t", "u"}, {"other", "t"}}
	for i, scope := range scopes {
		write(t, s, &store.Record{Key: "k", Value: fmt.Append(nil, i)}, store.WriteTo(scope[0], scope[1]))
	}
	write(t, s, &store.Record{Key: "k", Value: []byte("own")})
	if r := read(t, s, "k"); string(r.Value) != "own" {
		t.Errorf("in the store's table: read %+v", r)
	}
	for i, scope := range scopes {
		if r := read(t, s, "k", store.ReadFrom(scope[0], scope[1])); string(r.Value) != fmt.Sprint(i) {
			t.Errorf("in %q: read %+v", scope, r)
		}
	}
	if err := s.Delete("k", store.DeleteFrom("d", "t")); err != nil {
		t.Error(err)
	}
	for i, scope := range scopes {
		want := []string{"k"}
		if i == 0 {
			want = nil
		}
		if keys := list(t, s, store.ListFrom(scope[0], scope[1])); !slices.Equal(keys, want) {
			t.Errorf("after a delete in %q: list in %q: %q", scopes[0], scope, keys)
		}
	}
}

func matching(t *testing.T, s store.Store) {
	for _, k := range []string{"b", "ab", "abc", "bab", "a", "cab"} {
		write(t, s, &store.Record{Key: k, Value: []byte(k)})
	}
	for _, tt := range []struct {
		name string
		key  string
		read []store.ReadOption
		list []store.ListOption
		want []string
	}{
		{"prefix", "ab", []store.ReadOption{store.ReadPrefix()}, []store.ListOption{store.ListPrefix("ab")}, []string{"ab", "abc"}},
		{"suffix", "ab", []store.ReadOption{store.ReadSuffix()}, []store.ListOption{store.ListSuffix("ab")}, []string{"ab", "bab", "cab"}},
		{"both", "ab", []store.ReadOption{store.ReadPrefix(), store.ReadSuffix()}, []store.ListOption{store.ListPrefix("ab"), store.ListSuffix("ab")}, []string{"ab"}},
		{"limit", "a", []store.ReadOption{store.ReadPrefix(), store.ReadLimit(2)}, []store.ListOption{store.ListPrefix("a"), store.ListLimit(2)}, []string{"a", "ab"}},
		{"offset", "ab", []store.ReadOption{store.ReadSuffix(), store.ReadOffset(1)}, []store.ListOption{store.ListSuffix("ab"), store.ListOffset(1)}, []string{"bab", "cab"}},
		{"page", "ab", []store.ReadOption{store.ReadSuffix(), store.ReadOffset(1), store.ReadLimit(1)}, []store.ListOption{store.ListSuffix("ab"), store.ListOffset(1), store.ListLimit(1)}, []string{"bab"}},
		{"beyond", "ab", []store.ReadOption{store.ReadSuffix(), store.ReadOffset(9), store.ReadLimit(9)}, []store.ListOption{store.ListSuffix("ab"), store.ListOffset(9), store.ListLimit(9)}, nil},
	} {
		records, err := s.Read(tt.key, tt.read...)
		if err != nil {
			t.Errorf("%s: read: %v", tt.name, err)
		}
		var keys []string
		for _, r := range records {
			if keys = append(keys, r.Key); string(r.Value) != r.Key {
				t.Errorf("%s: read %+v", tt.name, r)
			}
		}
		if !slices.Equal(keys, tt.want) {
			t.Errorf("%s: read %q, want %q", tt.name, keys, tt.want)
		}
		if keys := list(t, s, tt.list...); !slices.Equal(keys, tt.want) {
			t.Errorf("%s: list %q, want %q", tt.name, keys, tt.want)
		}
	}
}

func many(t *testing.T, s store.Store) {
	const n = 2100 // more than a store reads at a time
	var writers sync.WaitGroup
	for w := range 10 {
		writers.Go(func() {
			for i := w; i < n; i += 10 {
				if err := s.Write(&store.Record{Key: fmt.Sprintf("%04d", i)}); err != nil {
					t.Errorf("write %d: %v", i, err)
					return
				}
			}
		})
	}
	writers.Wait()
	if keys := list(t, s); len(keys) != n || keys[0] != "0000" || keys[n-1] != fmt.Sprintf("%04d", n-1) {
		t.Errorf("list: %d keys", len(keys))
	}
	if keys := list(t, s, store.ListSuffix("9"), store.ListOffset(205), store.ListLimit(10)); !slices.Equal(keys, []string{"2059", "2069", "2079", "2089", "2099"}) {
		t.Errorf("the last of those that end with 9: %q", keys)
	}
}

// ends is longer than any store takes to remove what ended, soon after that has to be gone.
const ends = 30 * time.Second

func ending(t *testing.T, s store.Store) {
	write(t, s, &store.Record{Key: "record", Expiry: 2 * time.Second})
	write(t, s, &store.Record{Key: "ttl", Expiry: time.Hour}, store.WriteTTL(2*time.Second), store.WriteExpiry(time.Now().Add(time.Hour)))
	write(t, s, &store.Record{Key: "expiry", Expiry: time.Hour}, store.WriteExpiry(time.Now().Add(2*time.Second)))
	write(t, s, &store.Record{Key: "renewed", Expiry: 2 * time.Second})
	write(t, s, &store.Record{Key: "renewed"})
	write(t, s, &store.Record{Key: "long", Expiry: time.Hour})
	if r := read(t, s, "long"); r.Expiry <= 59*time.Minute || r.Expiry > time.Hour {
		t.Errorf("a record that is there for an hour says %v", r.Expiry)
	}
	want := []string{"long", "renewed"}
	deadline, tick := time.NewTimer(ends), time.NewTicker(50*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for keys := list(t, s); !slices.Equal(keys, want); keys = list(t, s) {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("after %v there are %q, want %q", ends, keys, want)
		}
	}
	for _, k := range []string{"record", "ttl", "expiry"} {
		if _, err := s.Read(k); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", k, err)
		}
	}
	if r := read(t, s, "renewed"); r.Expiry != 0 {
		t.Errorf("a record written again without an end says %v", r.Expiry)
	}
}

func copies(t *testing.T, s store.Store) {
	given := &store.Record{Key: "a", Value: []byte("1"), Metadata: map[string]any{"m": "1"}}
	write(t, s, given, store.WriteTTL(time.Hour))
	if given.Expiry != 0 {
		t.Error("writing changed the record that was given")
	}
	given.Value[0], given.Metadata["m"] = 'x', "x"
	r := read(t, s, "a")
	r.Value[0], r.Metadata["m"] = 'y', "y"
	if r := read(t, s, "a"); string(r.Value) != "1" || r.Metadata["m"] != "1" {
		t.Errorf("read %+v", r)
	}
}

func options(t *testing.T, s store.Store) {
	write(t, s, &store.Record{Key: "a", Value: []byte("first")})
	if err := s.Init(store.Table("another")); err != nil {
		t.Fatal(err)
	}
	if o := s.Options(); o.Table != "another" {
		t.Errorf("options: %+v", o)
	}
	if _, err := s.Read("a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("in the other table: %v", err)
	}
	if s.String() == "" {
		t.Error("the store has no name")
	}
}

func write(t *testing.T, s store.Store, r *store.Record, opts ...store.WriteOption) {
	t.Helper()
	if err := s.Write(r, opts...); err != nil {
		t.Fatalf("write %q: %v", r.Key, err)
	}
}

func read(t *testing.T, s store.Store, key string, opts ...store.ReadOption) *store.Record {
	t.Helper()
	r, err := s.Read(key, opts...)
	if err != nil || len(r) != 1 {
		t.Fatalf("read %q: %v, %v", key, r, err)
	}
	return r[0]
}

func list(t *testing.T, s store.Store, opts ...store.ListOption) []string {
	t.Helper()
	keys, err := s.List(opts...)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return keys
}
