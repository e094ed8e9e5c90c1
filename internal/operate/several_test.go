package operate

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// TestUnable operates a registry that has nothing to operate.
func TestUnable(t *testing.T) {
	r := memory.NewRegistry()
	s := &registry.Service{Name: "shop", Version: "1", Nodes: []*registry.Node{{Id: "shop-1", Address: dead}}}
	if err := r.Register(s); err != nil {
		t.Fatal(err)
	}
	o := Unable(r, "no pauses here", "it leaves by itself")
	nodes, err := o.Nodes(t.Context(), "shop")
	if err != nil || len(nodes) != 1 || nodes[0].Id != "shop-1" || nodes[0].Service.Version != "1" {
		t.Fatalf("got %+v, %v", nodes, err)
	}
	if none, err := o.Nodes(t.Context(), "other"); err != nil || len(none) != 0 {
		t.Errorf("got %v, %v", none, err)
	}
	for want, err := range map[string]error{
		`pause node "shop-1" of "shop": no pauses here`:        o.Pause(t.Context(), "shop", "shop-1", "", ""),
		`resume node "shop-1" of "shop": no pauses here`:       o.Resume(t.Context(), "shop", "shop-1"),
		`deregister node "shop-1" of "shop": it leaves by its`: o.Deregister(t.Context(), nodes[0], false),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// away is an Operator whose registry cannot be reached.
type away struct{ Operator }

func (away) Nodes(context.Context, string) ([]Node, error) {
	return nil, errors.New("connection refused")
}

// silent is an Operator whose registry does not answer.
type silent struct{ Operator }

func (silent) Nodes(ctx context.Context, _ string) ([]Node, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// TestSilentMember asks a member that does not answer beside one that does.
func TestSilentMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := memory.NewRegistry()
		if err := r.Register(&registry.Service{Name: "shop", Nodes: []*registry.Node{{Id: "shop-1", Address: dead}}}); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		nodes, err := Several(silent{}, Unable(r, "", "")).Nodes(t.Context(), "shop")
		if took := time.Since(begun); !errors.Is(err, errLate) || len(nodes) != 1 || took != grace {
			t.Errorf("got %+v, %v after %s", nodes, err, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := Several(silent{}, silent{}).Nodes(ctx, "shop"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("where nobody answers: %v", err)
		}
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestSeveral operates two etcds as one, and then one of them with a registry that has
// nothing to operate.
func TestSeveral(t *testing.T) {
	t.Parallel()
	one, two := testkit.StartEtcd(t), testkit.StartEtcd(t)
	a, b := operator(t, one, ""), operator(t, two, "")
	o := Several(a, b)
	register(t, one.Client(t), "shop-1", dead, 60)
	register(t, two.Client(t), "shop-1", dead, 0)
	register(t, two.Client(t), "shop-2", dead, 60)
	nodes, err := o.Nodes(t.Context(), "shop")
	if err != nil || len(nodes) != 2 {
		t.Fatalf("got %+v, %v", nodes, err)
	}
	if known := o.Standing(t.Context(), nodes); len(known) != 2 || known["shop-1"].Lease == nil {
		t.Errorf("got %v", known)
	}
	if err := o.Pause(t.Context(), "shop", "shop-1", "ops", ""); err != nil {
		t.Fatal(err)
	}
	for _, in := range []Operator{a, b, o} {
		if p, err := in.Pauses(t.Context(), ""); err != nil || len(p) != 1 || p[0].Node != "shop-1" {
			t.Errorf("got %+v, %v", p, err)
		}
	}
	if err := o.Resume(t.Context(), "shop", "shop-1"); err != nil {
		t.Error(err)
	}
	if p, err := o.Pauses(t.Context(), ""); err != nil || len(p) != 0 {
		t.Errorf("got %+v, %v", p, err)
	}
	if err := o.Deregister(t.Context(), nodes[0], true); err != nil {
		t.Error(err)
	}
	if nodes, err := o.Nodes(t.Context(), "shop"); err != nil || len(nodes) != 1 || nodes[0].Id != "shop-2" {
		t.Errorf("got %+v, %v", nodes, err)
	}

	// One that fails hides nothing of what the others have.
	nodes, err = Several(a, away{}, b).Nodes(t.Context(), "shop")
	if err == nil || len(nodes) != 1 || nodes[0].Id != "shop-2" {
		t.Errorf("got %+v, %v", nodes, err)
	}

	// A node of v2 in etcd does not obey, and one elsewhere need not.
	r := memory.NewRegistry()
	elsewhere := Several(Unable(r, "", ""), b)
	if nodes, err := elsewhere.Nodes(t.Context(), "shop"); err != nil || len(nodes) != 1 || !nodes[0].Deaf {
		t.Errorf("got %+v, %v", nodes, err)
	}
	if err := r.Register(&registry.Service{Name: "user", Nodes: []*registry.Node{{Id: "user-1", Address: dead}}}); err != nil {
		t.Fatal(err)
	}
	if nodes, err := elsewhere.Nodes(t.Context(), "user"); err != nil || len(nodes) != 1 || nodes[0].Deaf {
		t.Errorf("got %+v, %v", nodes, err)
	}

	if err := r.Register(&registry.Service{Name: "shop", Nodes: []*registry.Node{{Id: "shop-2", Address: dead}}}); err != nil {
		t.Fatal(err)
	}
	o = Several(Unable(r, "no pauses here", ""), b)
	if err := o.Pause(t.Context(), "shop", "shop-2", "", ""); err == nil || !strings.Contains(err.Error(), "no pauses here") {
		t.Errorf("got %v", err)
	}
	if p, err := b.Pauses(t.Context(), "shop"); err != nil || len(p) != 0 {
		t.Errorf("half of it was paused: %+v, %v", p, err)
	}
}
