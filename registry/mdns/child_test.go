package mdns

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// childRole says to this test binary, run in a namespace, what it is there.
const childRole = "MDNS_TEST_ROLE"

// child is what runs in a namespace. It ends when its standard input does.
func child(role string) error {
	r := NewRegistry().(*backend)
	defer r.Close()
	if id, ok := strings.CutPrefix(role, "node "); ok {
		id, address, _ := strings.Cut(id, " ")
		s := &registry.Service{Name: "s", Version: "1", Nodes: []*registry.Node{{Id: id, Address: address}}}
		if err := r.Register(s); err != nil {
			return err
		}
		fmt.Println("registered")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return r.Follow(ctx, "s", printer{})
}

// printer is a feed.Sink that prints views and states.
type printer struct{}

func (printer) Update(u feed.Update) {
	var nodes []string
	for _, s := range u.Services {
		for _, n := range s.Nodes {
			nodes = append(nodes, n.Id+"@"+n.Address)
		}
	}
	fmt.Println("view:", strings.Join(nodes, " "))
}

func (printer) Status(s feed.Status) { fmt.Println("live:", s.Live, s.Err) }
