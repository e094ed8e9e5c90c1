package storetest

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/store"
)

// versioned returns s as a store.Versioned, or skips the test.
func versioned(t *testing.T, s store.Store) store.Versioned {
	v, ok := s.(store.Versioned)
	if !ok {
		t.Skipf("the store %s has no versions", s)
	}
	return v
}

func versions(t *testing.T, s store.Store) {
	v := versioned(t, s)
	if r, version, err := v.ReadVersion("a"); !errors.Is(err, store.ErrNotFound) || version != 0 || r != nil {
		t.Errorf("of no record: %v, %d, %v", r, version, err)
	}
	first, err := v.WriteVersion(&store.Record{Key: "a", Value: []byte("1")}, 0)
	if err != nil || first <= 0 {
		t.Fatalf("write the first: %d, %v", first, err)
	}
	if _, version, err := v.ReadVersion("a"); err != nil || version != first {
		t.Errorf("read version %d, %v; it was written as %d", version, err, first)
	}
	if _, err := v.WriteVersion(&store.Record{Key: "a", Value: []byte("x")}, 0, store.WriteTTL(time.Hour)); !errors.Is(err, store.ErrConflict) {
		t.Errorf("write a first one where one is: %v", err)
	}
	second, err := v.WriteVersion(&store.Record{Key: "a", Value: []byte("2")}, first)
	if err != nil || second == first {
		t.Errorf("write the second over the first: %d after %d, %v", second, first, err)
	}
	if err := v.DeleteVersion("a", first); !errors.Is(err, store.ErrConflict) {
		t.Errorf("delete the first when the second is there: %v", err)
	}
	write(t, s, &store.Record{Key: "a", Value: []byte("3")}) // past the versions
	if _, err := v.WriteVersion(&store.Record{Key: "a", Value: []byte("x")}, second); !errors.Is(err, store.ErrConflict) {
		t.Errorf("write over what was written past the versions: %v", err)
	}
	r, third, err := v.ReadVersion("a")
	if err != nil || string(r.Value) != "3" || third == second {
		t.Errorf("read %v, %d, %v", r, third, err)
	}
	if err := v.DeleteVersion("a", third); err != nil {
		t.Error(err)
	}
	if _, err := v.WriteVersion(&store.Record{Key: "a"}, third); !errors.Is(err, store.ErrConflict) {
		t.Errorf("write over what is deleted: %v", err)
	}
	if _, _, err := v.ReadVersion("a", store.ReadPrefix()); err == nil {
		t.Error("several records have one version")
	}
}

func race(t *testing.T, s store.Store) {
	v := versioned(t, s)
	const writers, each = 8, 10
	write(t, s, &store.Record{Key: "count", Value: []byte("0")})
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			for done := 0; done < each; {
				r, version, err := v.ReadVersion("count")
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				n, _ := strconv.Atoi(string(r.Value))
				r.Value = strconv.AppendInt(nil, int64(n+1), 10)
				switch _, err := v.WriteVersion(r, version); {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrConflict):
					t.Errorf("write: %v", err)
					return
				}
			}
		})
	}
	running.Wait()
	if r := read(t, s, "count"); string(r.Value) != strconv.Itoa(writers*each) {
		t.Errorf("%d writers counted %d each to %s", writers, each, r.Value)
	}
}
