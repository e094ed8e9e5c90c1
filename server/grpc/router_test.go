package grpc_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/server"
)

// upperRouter answers every message with its bytes in upper case.
type upperRouter struct{ saw server.Request }

func (r *upperRouter) ProcessMessage(context.Context, server.Message) error { return nil }

func (r *upperRouter) ServeRequest(_ context.Context, req server.Request, rsp server.Response) error {
	r.saw = req
	b, err := req.Read()
	if err != nil {
		return err
	}
	if string(b) == "fail" {
		return errors.Forbidden("my.id", "no")
	}
	var m codec.Message
	if err := req.Codec().ReadHeader(&m, codec.Request); err != nil {
		return err
	}
	rsp.WriteHeader(map[string]string{"X-Ignored": "1"})
	return rsp.Write([]byte(m.Target + ":" + m.Endpoint + ":" + strings.ToUpper(string(b))))
}

func TestRouter(t *testing.T) {
	r := &upperRouter{}
	f := start(t, server.WithRouter(r))
	out := &bytes.Frame{}
	err := f.conn.Invoke(t.Context(), "/go.micro.far.Any/Thing", &bytes.Frame{Data: []byte("abc")}, out, grpc.ForceCodecV2(rpc.Proto))
	if err != nil || string(out.Data) != "go.micro.far:Any.Thing:ABC" {
		t.Fatalf("got %q, %v", out.Data, err)
	}
	if r.saw.Service() != "go.micro.far" || r.saw.Method() != "Any.Thing" || !r.saw.Stream() || r.saw.Header()["Content-Type"] != "application/grpc+proto" {
		t.Errorf("the request is %+v", r.saw)
	}
	err = f.conn.Invoke(t.Context(), "/go.micro.far.Any/Thing", &bytes.Frame{Data: []byte("fail")}, out, grpc.ForceCodecV2(rpc.Proto))
	if errors.FromError(rpc.FromStatus(err)).Code != 403 {
		t.Errorf("got %v", err)
	}
}
