package config

import (
	"errors"
	"sync"
	"testing"

	loader "github.com/rollcall-go/micro/config/loader/memory"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/memory"
)

// asked is a source that notes who reads it.
type asked struct {
	source.Source
	mu sync.Mutex
	by []string
}

func (a *asked) SetInstance(i source.Instance) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by = append(a.by, i.Node)
}

func (a *asked) heard() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.by)
}

func TestSourcesHearWhoReads(t *testing.T) {
	before, after := &asked{Source: memory.NewSource()}, &asked{Source: memory.NewSource()}
	c, err := NewConfig(WithSource(before))
	if err != nil {
		t.Fatal(err)
	}
	l := loader.NewLoader()
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), l.Close()); err != nil {
			t.Error(err)
		}
	})
	if before.heard() != 0 {
		t.Error("a source hears who reads before anybody said so")
	}
	c.(source.Instanced).SetInstance(source.Instance{Node: "n"})
	if err := c.Load(after); err != nil {
		t.Fatal(err)
	}
	if before.heard() != 1 || after.heard() != 1 {
		t.Errorf("one that was there heard %v, one that came later %v", before.by, after.by)
	}
	if err := c.Init(WithLoader(l)); err != nil { // which takes over the sources
		t.Fatal(err)
	}
	if before.heard() != 2 || after.heard() != 1 {
		t.Errorf("with another Loader the first heard %v, the second %v", before.by, after.by)
	}
}
