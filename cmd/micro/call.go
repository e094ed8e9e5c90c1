package main

import (
	"bytes"
	"context"
	"encoding/json"
	stderrors "errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	frame "github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/registry"
)

func callCommand() *cli.Command {
	return &cli.Command{
		Name:      "call",
		Usage:     "call an endpoint of a service with JSON",
		ArgsUsage: "SERVICE ENDPOINT [JSON]",
		Description: `Looks the service up by its name, calls the endpoint on one of its nodes and
prints the answer. "-" in place of the JSON reads it from standard input; without
it the request is {}. With -o json the answer is printed as it came, and an error
of the call as JSON on standard error.

   micro call greeter Greeter.Hello '{"name": "John"}'
   micro call greeter Greeter.Hello - < request.json
   micro call greeter Greeter.Hello '{"name": "John"}' -H tenant=a -H trace=1
   micro call greeter Greeter.Hello '{}' --address 127.0.0.1:9090`,
		Flags: append(registryFlags(5*time.Second), outputFlag(),
			&cli.StringSliceFlag{Name: "header", Aliases: []string{"H"}, Usage: "send the metadata `KEY=VALUE`; may be given more than once"},
			&cli.StringFlag{Name: "address", Usage: "call the node at `HOST:PORT` instead of looking the service up"},
		),
		Before: arguments(2, 3),
		Action: runCall,
	}
}

// errReported ends the command with exit code 1. What went wrong is on standard
// error already.
var errReported = stderrors.New("the error was reported")

func runCall(c *cli.Context) error {
	if c.String("address") == "" {
		return withRegistry(call)(c)
	}
	p, err := targetOf(c) // not looked at
	if err != nil {
		return err
	}
	return p.use(func(r registry.Registry) error { return call(c, p, r) })
}

func call(c *cli.Context, p registryTarget, r registry.Registry) (err error) {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	headers, err := headersOf(c.StringSlice("header"))
	if err != nil {
		return err
	}
	body, err := bodyOf(c.Args().Get(2), c.App.Reader)
	if err != nil {
		return err
	}
	service, endpoint := c.Args().Get(0), c.Args().Get(1)

	cl := cgrpc.NewClient(client.Registry(r))
	if closer, ok := cl.(io.Closer); ok {
		defer func() { err = stderrors.Join(err, closer.Close()) }()
	}
	ctx, cancel := context.WithTimeout(metadata.NewContext(c.Context, headers), p.timeout)
	defer cancel()
	var opts []client.CallOption
	if address := c.String("address"); address != "" {
		opts = append(opts, client.WithAddress(address))
	}
	req := cl.NewRequest(service, endpoint, &frame.Frame{Data: body}, client.WithContentType("application/json"))
	var rsp frame.Frame
	err = cl.Call(ctx, req, &rsp, opts...)
	switch {
	case err == nil:
		return printAnswer(c.App.Writer, rsp.Data, asJSON)
	case asJSON:
		fmt.Fprintln(c.App.ErrWriter, errors.FromError(err).Error())
		return errReported
	}
	missing := stderrors.Is(err, registry.ErrNotFound)
	err = fmt.Errorf("call %q of %q: %s", endpoint, service, inWords(errors.FromError(err)))
	if missing {
		err = p.explain(err)
	}
	return err
}

// inWords writes the error of a call on one line.
func inWords(e *errors.Error) string {
	return printable(fmt.Sprintf("%d %s: %s (from %s)", e.GetCode(), e.GetStatus(), e.GetDetail(), e.GetId()))
}

// printAnswer prints what a service answered: as it came, or indented.
func printAnswer(w io.Writer, answer []byte, asIs bool) error {
	if len(answer) == 0 {
		answer = []byte("{}") // a message without fields
	}
	if asIs {
		_, err := fmt.Fprintf(w, "%s\n", bytes.TrimRight(answer, "\n"))
		return err
	}
	var text bytes.Buffer
	if err := json.Indent(&text, answer, "", "  "); err != nil {
		return fmt.Errorf("read the answer: it is no JSON, -o json prints it as it came: %w", err)
	}
	_, err := fmt.Fprintf(w, "%s\n", bytes.TrimRight(text.Bytes(), "\n"))
	return err
}

// bodyOf returns the JSON to send: the argument, or what is on standard input.
func bodyOf(arg string, stdin io.Reader) ([]byte, error) {
	body, from := []byte(arg), "the argument"
	switch arg {
	case "":
		return []byte("{}"), nil
	case "-":
		var err error
		if body, err = io.ReadAll(stdin); err != nil {
			return nil, fmt.Errorf("read the request from standard input: %w", err)
		}
		from = "standard input"
	}
	var value json.RawMessage
	err := json.Unmarshal(body, &value)
	if err == nil {
		return body, nil
	}
	var syntax *json.SyntaxError
	if stderrors.As(err, &syntax) {
		line, column := position(body, syntax.Offset)
		return nil, usagef("invalid JSON in %s: line %d, column %d: %v", from, line, column, err)
	}
	return nil, usagef("invalid JSON in %s: %v", from, err)
}

// position returns the line and column of the last of the first n bytes.
func position(text []byte, n int64) (line, column int) {
	before := text[:min(max(n-1, 0), int64(len(text)))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// headersOf reads key=value pairs.
func headersOf(list []string) (metadata.Metadata, error) {
	headers := metadata.Metadata{}
	for _, pair := range list {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, usagef("invalid value %q for \"--header\": give KEY=VALUE", pair)
		}
		headers[key] = value
	}
	return headers, nil
}
