package folder_test

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/e2e/programs/folder"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestNodesExpireUnlessTheyAreRegisteredAgain(t *testing.T) {
	r := folder.NewRegistry(registry.Addrs(t.TempDir()))
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	s := &registry.Service{Name: "a/b", Version: "1", Nodes: []*registry.Node{{Id: "1", Address: "a:1"}}}
	if err := r.Register(s, registry.RegisterTTL(300*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if got, err := r.GetService("a/b"); err != nil || len(got) != 1 || got[0].Nodes[0].Address != "a:1" {
		t.Fatalf("got %v, %v", got, err)
	}
	for _, want := range []string{"create", "delete"} {
		if e, err := w.Next(); err != nil || e.Action != want || e.Service.Name != "a/b" {
			t.Fatalf("got %v, %v, want a %s", e, err, want)
		}
	}
	if _, err := r.GetService("a/b"); err == nil {
		t.Error("a node outlived its time")
	}
}
