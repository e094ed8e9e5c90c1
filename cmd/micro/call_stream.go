package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/rollcall-go/micro/client"
	frame "github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/registry"
)

// messagesOf returns what to send on a stream: the values of the argument, or of
// standard input, from where they are sent as they come.
func messagesOf(arg string, stdin io.Reader) *json.Decoder {
	switch arg {
	case "":
		return json.NewDecoder(strings.NewReader("{}"))
	case "-":
		return json.NewDecoder(stdin)
	}
	return json.NewDecoder(strings.NewReader(arg))
}

// streams reports whether the registry says that the endpoint is a stream. What it
// does not say, the call will.
func (s *session) streams(service, endpoint string) bool {
	if s.String("address") != "" {
		return false
	}
	versions, err := s.registry.GetService(service, registry.GetContext(s.Context.Context))
	if err != nil {
		return false
	}
	for _, v := range versions {
		for _, e := range v.Endpoints {
			if e.Name == endpoint && e.Metadata["stream"] == "true" {
				return true
			}
		}
	}
	return false
}

// converse opens a stream, sends the messages, ends this side, and prints what comes
// until the service has ended the other or somebody interrupts.
func (r request) converse(s *session, cl client.Client, opts []client.CallOption, service, endpoint string) error {
	c := s.Context
	ctx, cancel := context.WithCancelCause(r.context(c.Context))
	defer cancel(nil)
	req := cl.NewRequest(service, endpoint, nil, client.WithContentType(contentType), client.StreamingRequest())
	st, err := cl.Stream(ctx, req, append(opts, client.WithRequestTimeout(s.target.timeout))...)
	if err != nil {
		return err
	}
	defer st.Close()
	go func() { // which may wait for input; then it ends with the process
		if err := sendAll(st, r.messages); err != nil {
			cancel(err)
		}
	}()
	for {
		var rsp frame.Frame
		err := st.Recv(&rsp)
		switch cause := context.Cause(ctx); {
		case err == io.EOF, err != nil && c.Context.Err() != nil:
			return nil
		case err != nil && cause != nil:
			return cause
		case err != nil:
			return err
		}
		if wantsJSON(c) {
			err = printRaw(stdout(c), oneLine(rsp.Data))
		} else {
			err = printAnswer(stdout(c), rsp.Data)
		}
		if err != nil {
			return err
		}
	}
}

// sendAll sends the values and ends the side of the client. An error of the stream is
// none of its own: whoever receives is told.
func sendAll(st client.Stream, messages *json.Decoder) error {
	for {
		var value json.RawMessage
		if err := messages.Decode(&value); err == io.EOF {
			return client.CloseSend(st)
		} else if err != nil {
			return usagef("invalid JSON among the messages to send, after %d bytes: %v", messages.InputOffset(), err)
		}
		if st.Send(&frame.Frame{Data: value}) != nil {
			return nil
		}
	}
}

// oneLine returns a message without line ends, so that each line is a message.
func oneLine(message []byte) []byte {
	var line bytes.Buffer
	if json.Compact(&line, message) != nil {
		return message
	}
	return line.Bytes()
}
