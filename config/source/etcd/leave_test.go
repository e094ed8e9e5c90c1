package etcd

import (
	"context"
	"testing"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
)

// TestLeaveWhileTheConfigurationIsClosed ends the source before who publishes has looked at
// that the instance leaves: whoever waits for that is told.
func TestLeaveWhileTheConfigurationIsClosed(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	s := NewSource(WithAddress(e.Addr()), Instance(source.Instance{Service: "shop", Node: "n"})).(*etcdSource)
	conf := configured(t, s)
	says(t, c, "", "shop", "it is said", func(layout.AppliedRecord) bool { return true })
	gone := make(chan struct{})
	s.applied.mu.Lock()
	s.applied.left = gone // and nobody is woken
	s.applied.mu.Unlock()
	if err := conf.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-gone:
	default:
		t.Error("who waits in Leave waits for nobody")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Leave(ctx); err != nil { // of what nobody uses
		t.Error(err)
	}
}

// TestRightsOnAPartAlone follows the keys below one path as a user who may read those and
// nothing else, neither grays nor what it could say of itself.
func TestRightsOnAPartAlone(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	putAt(t, c, "/micro/config/payments/limit", "1")
	putAt(t, c, "/micro/config/other", "1")
	e.EnableAuth(t, "operator", "secret")
	e.AddUser(t, "payments", "secret", testkit.Right{Prefix: "/micro/config/payments/", Read: true})
	c = e.Client(t)
	of := func(prefix string) source.Source {
		return NewSource(WithAddress(e.Addr()), Auth("payments", "secret"), WithPrefix(prefix), Instance(source.Instance{Service: "shop", Node: "n"}))
	}
	conf := configured(t, of("/micro/config/payments/"))
	limit, err := config.Bind[int](conf, "micro", "config", "payments", "limit")
	if err != nil {
		t.Fatal(err)
	}
	defer limit.Close()
	if *limit.Get() != 1 || string(conf.Bytes()) != `{"micro":{"config":{"payments":{"limit":1}}}}` {
		t.Errorf("got %s", conf.Bytes())
	}
	putAt(t, c, "/micro/config/payments/limit", "2")
	testkit.Eventually(t, patience, "a change is read", func() bool { return *limit.Get() == 2 })
	testkit.Eventually(t, patience, "it is followed", func() bool { return config.Status(conf)[0].Live })

	// Without the "/" the prefix has a key of its own, which this user may not read.
	if _, err := of("/micro/config/payments").Read(); err == nil {
		t.Error("more is read than the user may")
	}
}
