package scope_test

import (
	"slices"
	"testing"

	"github.com/rollcall-go/micro/compat/util/scope"
	"github.com/rollcall-go/micro/store"
	"github.com/rollcall-go/micro/store/memory"
)

func TestScope(t *testing.T) {
	whole := memory.NewStore()
	defer whole.Close()
	s := scope.NewScope(whole, "shop")
	r := &store.Record{Key: "a", Value: []byte("1")}
	for range 2 { // writing leaves the record as it is
		if err := s.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := whole.Write(&store.Record{Key: "a"}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read("a"); err != nil || len(got) != 1 || got[0].Key != "shop/a" || string(got[0].Value) != "1" {
		t.Errorf("read %v, %v", got, err)
	}
	if keys, err := s.List(); err != nil || !slices.Equal(keys, []string{"shop/a"}) {
		t.Errorf("listed %v, %v", keys, err)
	}
	if keys, err := s.List(store.ListPrefix("b")); err != nil || len(keys) != 0 {
		t.Errorf("listed %v, %v", keys, err)
	}
	if err := s.Delete("a"); err != nil {
		t.Fatal(err)
	}
	if keys, err := whole.List(); err != nil || !slices.Equal(keys, []string{"a"}) {
		t.Errorf("left %v, %v", keys, err)
	}
	if table := s.Options().Table; table != "shop" {
		t.Errorf("the table is %q", table)
	}
}
