package operate

import (
	"fmt"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

func TestSummarize(t *testing.T) {
	node := []*registry.Node{{Id: "1"}}
	got := Summarize([]*registry.Service{
		{Name: "shop", Version: "2", Nodes: node}, {Name: "shop", Version: "1", Nodes: append(node, node...)}, {Name: "shop", Version: "2", Nodes: node}, {Name: "a"},
	}, []Pause{{Service: "shop", Node: "9"}, {Service: "closed", Node: "1"}, {Service: "closed", Node: "2"}})
	if want := "[{a [] 0 0} {closed [] 0 2} {shop [2 1] 4 1}]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if got := Summarize(nil, nil); got == nil || len(got) != 0 {
		t.Errorf("nothing is %v", got)
	}
}
