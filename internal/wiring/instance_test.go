package wiring

import (
	"os"
	"testing"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// reader is a configuration that hears who reads it.
type reader struct {
	config.Config
	by []source.Instance
}

func (r *reader) SetInstance(i source.Instance) { r.by = append(r.by, i) }

func TestTheConfigurationHearsWhoReadsIt(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	r := &reader{}
	s := sgrpc.NewServer(server.Name("shop"), server.Id("7"), server.Version("1.2"), server.Metadata(map[string]string{"zone": "a"}))
	SetInstance(r, s)
	want := source.Instance{Service: "shop", Node: "shop-7", Host: host, Version: "1.2", Metadata: map[string]string{"zone": "a"}}
	if len(r.by) != 1 || !r.by[0].Equal(want) {
		t.Errorf("it heard %+v, want %+v", r.by, want)
	}
	SetInstance(struct{ config.Config }{}, s) // which cannot hear
	SetInstance(nil, s)
	SetInstance(r, nil)
	if len(r.by) != 1 {
		t.Errorf("it heard of a server that there is not: %+v", r.by)
	}
}
