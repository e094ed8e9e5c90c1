package store_test

import (
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/store"
	_ "github.com/rollcall-go/micro/store/memory"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestDefaultStore(t *testing.T) {
	s := store.DefaultStore
	defer func() { _ = s.Close() }()
	if s.String() != "memory" || s.Options().Table != "micro" {
		t.Errorf("the default store is %s with %+v", s, s.Options())
	}
	if err := s.Write(&store.Record{Key: "a", Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	v := s.(store.Versioned)
	r, version, err := v.ReadVersion("a")
	if err != nil || string(r.Value) != "1" {
		t.Fatalf("read %v, %v", r, err)
	}
	if _, err := v.WriteVersion(r, version); err != nil {
		t.Error(err)
	}
	if err := s.Delete("a"); err != nil {
		t.Error(err)
	}
	if keys, err := s.List(); err != nil || len(keys) != 0 {
		t.Errorf("list: %q, %v", keys, err)
	}
}
