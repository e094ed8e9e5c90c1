package wiring

import (
	"context"
	"maps"
	"os"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/server"
)

// SetInstance tells c that the node that s is, or will be, reads it. A configuration
// that does not depend on who reads it is left alone.
func SetInstance(c config.Config, s server.Server) {
	reader, ok := c.(source.Instanced)
	if !ok || s == nil {
		return
	}
	o := s.Options()
	host, err := os.Hostname()
	if err != nil {
		host = "" // nothing is then said to be for this host
	}
	reader.SetInstance(source.Instance{
		Service: o.Name, Node: record.NodeID(o.Name, o.Id), Host: host, Version: o.Version, Metadata: maps.Clone(o.Metadata),
	})
}

// Leave tells c that the node is about to end. It returns within
// defaults.ConfigLeaveTimeout; what could not be taken back by then ends by itself.
func Leave(c config.Config) {
	reader, ok := c.(source.Leaver)
	if !ok {
		return
	}
	// Nobody else ends it: the service is stopping already.
	ctx, cancel := context.WithTimeout(context.Background(), defaults.ConfigLeaveTimeout)
	defer cancel()
	_ = reader.Leave(ctx)
}
