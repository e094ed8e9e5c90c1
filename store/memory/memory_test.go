package memory

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/store"
	"github.com/rollcall-go/micro/store/storetest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return NewStore() })
}

// TestMemoryIsBounded: records that ended are removed by those that are written later.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStore().(*memory)
		for i := range 10_000 {
			if err := s.Write(&store.Record{Key: fmt.Sprint(i), Expiry: time.Second}); err != nil {
				t.Fatal(err)
			}
			<-time.After(100 * time.Millisecond) // of the bubble's clock: ten are there at a time
		}
		if s.count > 40 {
			t.Errorf("of 10 records that have not ended %d are kept", s.count)
		}
	})
}

func TestCloseEmpties(t *testing.T) {
	s := NewStore()
	if err := errors.Join(s.Write(&store.Record{Key: "a"}), s.Close(), s.Write(&store.Record{Key: "b"})); err != nil {
		t.Fatal(err)
	}
	if keys, err := s.List(); err != nil || len(keys) != 1 || keys[0] != "b" {
		t.Errorf("list: %q, %v", keys, err)
	}
}
