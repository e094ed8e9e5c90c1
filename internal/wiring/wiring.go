// Package wiring tells the parts of a service of one another.
package wiring

import (
	"errors"
	"fmt"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// SetRegistry makes r the registry of the parts; those that are nil are left out.
// All of them are told, whatever one of them returns.
func SetRegistry(r registry.Registry, s server.Server, c client.Client, b broker.Broker) error {
	var errs []error
	told := func(part string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("give the %s its registry: %w", part, err))
		}
	}
	if s != nil {
		told("server", s.Init(server.Registry(r)))
	}
	if c != nil {
		told("client", c.Init(client.Registry(r)))
	}
	if b != nil {
		told("broker", b.Init(broker.Registry(r)))
	}
	return errors.Join(errs...)
}
