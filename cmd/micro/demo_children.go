package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	rollcall "github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/cmd/micro/demo"
	"github.com/rollcall-go/micro/logger"
)

func demoServiceCommand() *cli.Command {
	return &cli.Command{
		Name:   "demo-service",
		Usage:  "run one node of the service that the demo calls",
		Hidden: true,
		Flags:  registryFlags(5 * time.Second),
		Before: arguments(0, 0),
		Action: withRegistry(func(s *session) error {
			// The demo reads its log.
			if err := logger.Init(logger.WithOutput(s.App.Writer)); err != nil {
				return fmt.Errorf("set the log up: %w", err)
			}
			return demo.Serve(s.Context.Context, s.registry)
		}),
	}
}

func demoClientCommand() *cli.Command {
	return &cli.Command{
		Name:   "demo-client",
		Usage:  "call the service of the demo as the lines of standard input say",
		Hidden: true,
		Description: `Each line is a number of calls to make, or "on" to call without pause until the
line "off". After the calls a report is printed as one line of JSON, with "on" also
after the first of them.`,
		Flags:  registryFlags(5 * time.Second),
		Before: arguments(0, 0),
		Action: withRegistry(func(s *session) error {
			leaveInterruptsToParent()
			// A program that only calls: it neither registers nor runs.
			service := rollcall.NewService(rollcall.Name("demo.client"), rollcall.Registry(s.registry))
			return demo.Call(s.Context.Context, service.Client(), s.App.Reader, s.App.Writer)
		}),
	}
}
