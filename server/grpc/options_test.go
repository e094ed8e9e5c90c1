package grpc

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"reflect"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
)

// Options only record: whatever their order, they come to the same.
func TestOptionsInAnyOrder(t *testing.T) {
	type foreign struct{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	wg, cfg, r := new(sync.WaitGroup), &tls.Config{MinVersion: tls.VersionTLS13}, memory.NewRegistry()
	defer r.(interface{ Close() error }).Close()
	opts := []server.Option{
		server.Name("n"), server.Id("i"), server.Version("v"), server.Address("127.0.0.1:1"), server.Advertise("a:1"), server.AdvertiseCIDR("10.0.0.0/8"),
		server.AdvertiseInterface("eth0"), server.Metadata(map[string]string{"k": "v"}), server.Registry(r), server.RegisterTTL(time.Minute), server.RegisterInterval(time.Second),
		server.TLSConfig(cfg), server.Wait(wg), server.Context(context.WithValue(t.Context(), foreign{}, "own")),
		AuthTLS(cfg), Codec("x", encoding.Codec(nil)), Listener(l), MaxConn(1), MaxMsgSize(2), MaxHeaderListSize(3), MaxConcurrentStreams(4), Reflection(false),
		RegistrationWait(5), DeregisterDelay(6), StopGrace(7), Options(grpc.ConnectionTimeout(8)),
	}
	type outcome struct {
		options server.Options
		own     serverSettings
		wait    any
		foreign any
	}
	apply := func() outcome {
		o := server.NewOptions(opts...)
		out := outcome{o, *settingsOf(o.Context), o.Context.Value("wait"), o.Context.Value(foreign{})}
		out.own.grpc = out.own.grpc[:0:0] // one of grpc's options is like another
		out.options.Context, out.options.RegisterCheck = nil, nil
		return out
	}
	want := apply()
	if want.own.grace != 7 || want.wait != any(wg) || want.foreign != any("own") {
		t.Fatalf("not all is there: %+v", want)
	}
	for range 50 {
		rand.Shuffle(len(opts), func(i, j int) { opts[i], opts[j] = opts[j], opts[i] })
		if got := apply(); !reflect.DeepEqual(got, want) {
			t.Fatalf("in another order:\n%+v\nwant\n%+v", got, want)
		}
	}
}
