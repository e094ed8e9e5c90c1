package main

import (
	"bytes"
	"context"
	"encoding/json"
	stderrors "errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	frame "github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/callflags"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/metadata"
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

An endpoint that the registry lists as a stream, or any with --stream, is sent the
JSON, of which there may be several values with --stream, one after another, and the
messages that come are printed until the service ends the stream; with -o json each on
a line of its own. Values from standard input are sent as they come.

   micro call greeter Greeter.Hello '{"name": "John"}'
   micro call greeter Greeter.Hello - < request.json
   micro call greeter Greeter.Hello '{"name": "John"}' -H tenant=a -H trace=1
   micro call greeter Greeter.Hello '{}' --address 127.0.0.1:9090
   micro call greeter Greeter.Hello '{}' --client_tls_ca ca.pem --client_tls_identity service
   micro call greeter Greeter.Chat --stream '{"text": "a"} {"text": "b"}'`,
		Flags: slices.Concat(registryFlags(5*time.Second), callflags.ClientFlags(), []cli.Flag{outputFlag(),
			&cli.StringSliceFlag{Name: "header", Aliases: []string{"H"}, Usage: "send the metadata `KEY=VALUE`; may be given more than once"},
			&cli.StringFlag{Name: "address", Usage: "call the node at `HOST:PORT` instead of looking the service up"},
			&cli.BoolFlag{Name: "stream", Usage: "call a stream: send each JSON value, print each message that comes"},
		}),
		Before: arguments(2, 3),
		Action: runCall,
	}
}

// securityOf reads the flags of callflags.ClientFlags.
func securityOf(c *cli.Context) (callflags.Client, error) {
	tls, err := callflags.ReadClient(func(name string) string { return registryflags.Given(c, name) })
	if err == nil {
		err = tls.Check(client.Options{})
	}
	if err != nil {
		return tls, wrongSetting(err)
	}
	return tls, nil
}

// errReported ends the command with exit code 1. What went wrong is on standard
// error already.
var errReported = stderrors.New("the error was reported")

// request is what the command line says of a call.
type request struct {
	headers  metadata.Metadata
	body     []byte
	messages *json.Decoder // of a stream, in place of body; else nil
	tls      callflags.Client
}

// context returns ctx with the headers.
func (r request) context(ctx context.Context) context.Context {
	return metadata.NewContext(ctx, r.headers)
}

// runCall looks at the command line before it looks for a registry.
func runCall(c *cli.Context) error {
	headers, err := headersOf(c.StringSlice("header"))
	if err != nil {
		return err
	}
	p, err := targetOf(c)
	if err != nil {
		return err
	}
	tls, err := securityOf(c)
	if err != nil {
		return err
	}
	r := request{headers: headers, tls: tls}
	if arg := c.Args().Get(2); c.Bool("stream") {
		r.messages = messagesOf(arg, c.App.Reader)
	} else if r.body, err = bodyOf(c.Context, arg, c.App.Reader); err != nil {
		return err
	}
	if c.String("address") == "" {
		return withRegistry(r.call)(c)
	}
	return p.open(c, r.call) // which does not look at the registry
}

func (r request) call(s *session) (err error) {
	c := s.Context
	service, endpoint := c.Args().Get(0), c.Args().Get(1)

	cl := cgrpc.NewClient(client.Registry(s.registry), r.tls.Option())
	if closer, ok := cl.(io.Closer); ok {
		defer func() { err = stderrors.Join(err, closer.Close()) }()
	}
	var opts []client.CallOption
	if address := c.String("address"); address != "" {
		opts = append(opts, client.WithAddress(address))
	}
	if r.messages == nil && s.streams(service, endpoint) {
		r.messages = json.NewDecoder(bytes.NewReader(r.body))
	}
	var rsp frame.Frame
	if r.messages != nil {
		err = r.converse(s, cl, opts, service, endpoint)
	} else {
		ctx, cancel := context.WithTimeout(r.context(c.Context), s.target.timeout)
		defer cancel()
		req := cl.NewRequest(service, endpoint, &frame.Frame{Data: r.body}, client.WithContentType(contentType))
		err = cl.Call(ctx, req, &rsp, opts...)
	}
	var failed *errors.Error
	switch {
	case err == nil && r.messages != nil:
		return nil
	case r.messages != nil && !stderrors.As(err, &failed): // what was to be sent, or where it was printed
		return err
	case err == nil && wantsJSON(c):
		return printRaw(stdout(c), rsp.Data)
	case err == nil:
		if err := printAnswer(stdout(c), rsp.Data); err != nil {
			return fmt.Errorf("decode the answer of %q of %q: %w", endpoint, service, err)
		}
		return nil
	case wantsJSON(c):
		// The same in both forms, but that nothing in it can reach the terminal.
		fmt.Fprintf(stderr(c), "%s\n", escaped([]byte(errors.FromError(err).Error())))
		return errReported
	}
	return s.inWords(service, endpoint, err)
}

// contentType is what is sent, and asked for.
const contentType = "application/json"

// bodyOf returns the JSON to send: the argument, or what is on standard input.
func bodyOf(ctx context.Context, arg string, stdin io.Reader) ([]byte, error) {
	body, from := []byte(arg), "the argument"
	switch arg {
	case "":
		return []byte("{}"), nil
	case "-":
		var err error
		if body, err = readAll(ctx, stdin); err != nil {
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

// readAll reads r to its end, or until ctx ends. What still reads then ends with the
// process.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	type outcome struct {
		text []byte
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		text, err := io.ReadAll(r)
		done <- outcome{text, err}
	}()
	select {
	case o := <-done:
		return o.text, o.err
	case <-ctx.Done():
		return nil, stderrors.New("interrupted")
	}
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
