package faults

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// mustName fails the test unless err is the sentinel and has the texts.
func mustName(t *testing.T, err, sentinel error, texts ...string) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Errorf("got %v, want it to be %q", err, sentinel)
		return
	}
	for _, text := range texts {
		if !strings.Contains(strings.ReplaceAll(err.Error(), `\"`, `"`), text) {
			t.Errorf("%v does not say %q", err, text)
		}
	}
}

// Row C5. Fault: there is no node for a call, for each reason that there can be. Bound: the
// error says which, with the registry's kind and address, and the sentinels of v2
// are found in it.
func TestC5WhyThereIsNoNode(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	r := fleet.Registry(t, e.Addr())
	c := fleet.Client(t, r)
	where := "etcd (" + e.Addr() + ")"
	fleet.Service(t, "greeter", fleet.Registry(t, e.Addr()), nil)
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "greeter", 1) })

	t.Run("never seen", func(t *testing.T) {
		mustName(t, fleet.Say(t.Context(), c, "nobody"), selector.ErrNotFound, "never seen", where)
		mustName(t, fleet.Say(t.Context(), c, "nobody"), registry.ErrNotFound)
	})
	t.Run("misspelt", func(t *testing.T) {
		testkit.Eventually(t, patience, "the right name is suggested", func() bool {
			return strings.Contains(fleet.Say(t.Context(), c, "greter").Error(), `did you mean [\"greeter\"]`)
		})
	})
	t.Run("gone", func(t *testing.T) {
		n := fleet.Service(t, "gone", fleet.Registry(t, e.Addr()), nil)
		testkit.Eventually(t, patience, "it is called", func() bool { return fleet.Say(t.Context(), c, "gone") == nil })
		if err := n.Stop(); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, patience, "it is gone", func() bool { return errors.Is(fleet.Say(t.Context(), c, "gone"), registry.ErrNotFound) })
		mustName(t, fleet.Say(t.Context(), c, "gone"), selector.ErrNotFound, "all that were seen are gone", where)
	})
	t.Run("filtered out by version", func(t *testing.T) {
		err := fleet.Say(t.Context(), c, "greeter", client.WithSelectOption(selector.WithFilter(selector.FilterVersion("7"))))
		mustName(t, err, selector.ErrNoneAvailable, "leaves none of 1 nodes", `versions ["latest"]`)
	})
	t.Run("paused", func(t *testing.T) {
		n := fleet.Service(t, "paused", fleet.Registry(t, e.Addr()), nil)
		testkit.Eventually(t, patience, "it is called", func() bool { return fleet.Say(t.Context(), c, "paused") == nil })
		if _, err := e.Client(t).Put(t.Context(), layout.Layout{}.Pause("paused", n.ID()), `{"by":"ops"}`); err != nil {
			t.Fatal(err)
		}
		var err error
		testkit.Eventually(t, patience, "the error says it", func() bool {
			err = fleet.Say(t.Context(), c, "paused")
			return err != nil && strings.Contains(err.Error(), "has paused")
		})
		mustName(t, err, selector.ErrNotFound, n.ID(), where)
	})
	t.Run("known but all unhealthy", func(t *testing.T) {
		register(t, r, fleet.Record("dead", "1", "2"), 15*time.Second)
		testkit.Eventually(t, patience, "they are listed", func() bool { return fleet.Listed(r, "dead", 2) })
		var err error
		testkit.Eventually(t, patience, "they are known", func() bool {
			err = fleet.Say(t.Context(), c, "dead")
			return !errors.Is(err, registry.ErrNotFound)
		})
		mustName(t, err, selector.ErrNoneAvailable, "none of 2 nodes can be reached", "refused")
	})
}

// Row C5. Fault: the registry is out of reach. Bound: the error says so, since when, and
// where, once the deadline has come.
func TestC5WhatIsTheMatterWithTheRegistry(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.Kill()
	err := fleet.Say(t.Context(), fleet.Client(t, fleet.Registry(t, e.Addr())), "any", client.WithRequestTimeout(time.Second))
	mustName(t, err, context.DeadlineExceeded, "has not answered yet", "since 20", "refused", e.Addr())
	mustName(t, err, selector.ErrNoneAvailable)
	mustHaveCode(t, err, 408)
}
