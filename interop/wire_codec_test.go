package interop_test

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// TestCodecs has both frameworks write each kind of message by each codec of mucp: the bytes
// are the same, and each reads them alike.
func TestCodecs(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	theirs, mine := run(t, v2, etcd.Addr(), "interop.codec"), run(t, ours, etcd.Addr(), "interop.codec")
	const request, response, event, failure = 1, 2, 3, 0
	header := func(ct string) map[string]string { return map[string]string{"Content-Type": ct} }
	for _, c := range []peer.Coded{
		{Codec: "grpc", Type: request, Target: "go.micro.greeter", Endpoint: "Greeter.Hello", Header: header("application/grpc+proto"), Text: "x"},
		{Codec: "grpc", Type: request, Target: "go.micro.greeter", Endpoint: "Greeter.Hello", Header: header("application/grpc+json"), Text: "x"},
		{Codec: "grpc", Type: response, Header: header("application/grpc"), Text: strings.Repeat("x", 100_000)},
		{Codec: "grpc", Type: failure, Error: "no", Header: header("application/grpc")},
		{Codec: "grpc", Type: failure, Error: "EOS", Header: header("application/grpc")},
		{Codec: "json-rpc", Type: request, ID: "1", Method: "Greeter.Hello", Text: "x <&> \u2028"},
		{Codec: "json-rpc", Type: response, ID: "1", Text: "x"},
		{Codec: "json-rpc", Type: response, ID: "1", Error: "no", Text: "x"},
		{Codec: "json-rpc", Type: event, Text: "x"},
		{Codec: "proto-rpc", Type: request, ID: "12345678901234", Method: "Greeter.Hello", Text: "x"},
		{Codec: "proto-rpc", Type: request, ID: "no number", Method: "Greeter.Hello", Text: ""},
		{Codec: "proto-rpc", Type: response, ID: "7", Method: "Greeter.Hello", Error: "no", Text: "x"},
		{Codec: "proto-rpc", Type: event, Text: "x"},
		{Codec: "text", Type: event, Text: "x\n\x00y"},
	} {
		t.Run(fmt.Sprintf("%s %d %s %.10s", c.Codec, c.Type, c.Error, c.Text), func(t *testing.T) {
			var a, b peer.Coded
			theirs.do(peer.OpCode, c, &a)
			mine.do(peer.OpCode, c, &b)
			if !bytes.Equal(a.Wire, b.Wire) || !maps.Equal(a.Header, b.Header) {
				t.Fatalf("v2 writes %q with %v, we %q with %v", a.Wire, a.Header, b.Wire, b.Header)
			}
			if c.Codec == "grpc" && len(a.Wire) == 0 {
				return // an error, which is in the headers
			}
			read := peer.Coded{Codec: c.Codec, Read: true, Type: c.Type, Header: a.Header, Wire: a.Wire}
			a, b = peer.Coded{}, peer.Coded{}
			theirs.do(peer.OpCode, read, &a)
			mine.do(peer.OpCode, read, &b)
			if !reflect.DeepEqual(a, b) || a.Text != c.Text {
				t.Errorf("v2 reads %+v, we %+v", a, b)
			}
		})
	}
}

// TestTransports has each framework listen by each transport, and both send messages to it.
func TestTransports(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	programs := map[kind]*program{}
	for _, k := range kinds {
		programs[k] = run(t, k, etcd.Addr(), "interop.transport")
	}
	for _, name := range []string{"http", "grpc"} {
		for _, server := range kinds {
			var at peer.Carried
			programs[server].do(peer.OpEcho, peer.Carried{Transport: name}, &at)
			for _, caller := range kinds {
				sent := peer.Carried{Transport: name, Address: at.Address, Bodies: [][]byte{[]byte("x"), []byte("\x00\r\n"), bytes.Repeat([]byte("y"), 100_000)}}
				var got peer.Carried
				programs[caller].do(peer.OpCarry, sent, &got)
				if !reflect.DeepEqual(got.Bodies, sent.Bodies) {
					t.Errorf("%s: %s by %s: %d answers differ", name, caller, server, len(got.Bodies))
				}
			}
		}
	}
}
