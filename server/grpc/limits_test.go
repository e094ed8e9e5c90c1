package grpc_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	frames "github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// wire is a connection to a server that keeps no rule but those that the test does.
type wire struct {
	net.Conn
	*http2.Framer
	block bytes.Buffer
	hpack *hpack.Encoder
	pong  chan struct{} // told when the server has answered a ping; closed with the connection
}

func openWire(t testing.TB, address string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	w := &wire{Conn: c, Framer: http2.NewFramer(c, c), pong: make(chan struct{}, 1)}
	w.hpack = hpack.NewEncoder(&w.block)
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	go w.read() // ends with the connection
	return w
}

func (w *wire) read() {
	defer close(w.pong)
	for {
		f, err := w.ReadFrame()
		if err != nil {
			return
		}
		if p, ok := f.(*http2.PingFrame); ok && p.IsAck() {
			w.pong <- struct{}{}
		}
	}
}

// taken returns when the server has taken in all that was sent, or closed the
// connection.
func (w *wire) taken() {
	if w.WritePing(false, [8]byte{}) == nil {
		<-w.pong
	}
}

// counted is a listener that counts what the server reads.
type counted struct {
	net.Listener
	read, closed atomic.Int64
}

type countedConn struct {
	net.Conn
	of *counted
}

func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &countedConn{c, l}, err
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.of.read.Add(int64(n))
	return n, err
}

func (c *countedConn) Close() error {
	c.of.closed.Add(1)
	return c.Conn.Close()
}

// headers returns the header block of a call with more fields.
func (w *wire) headers(path string, more ...hpack.HeaderField) []byte {
	w.block.Reset()
	for _, f := range append([]hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: path}, {Name: ":authority", Value: "x"},
		{Name: "content-type", Value: "application/grpc"}, {Name: "te", Value: "trailers"},
	}, more...) {
		_ = w.hpack.WriteField(f) // into memory
	}
	return w.block.Bytes()
}

// heap returns the bytes in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Calls whose headers a few bytes stand for, by the thousand, once took 1.5 GB.
func TestRepeatedHeadersTakeNoMemory(t *testing.T) {
	e := &Echo{enter: make(chan struct{}, 200), leave: make(chan struct{})}
	f, done := startWaiting(t, e, server.WrapHandler(func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			md, _ := metadata.FromContext(ctx)
			defer runtime.KeepAlive(md)
			return next(ctx, req, rsp)
		}
	}))
	before := heap()
	w := openWire(t, f.server.Options().Address)
	var many []hpack.HeaderField
	for range 3900 {
		many = append(many, hpack.HeaderField{Name: "x", Value: strings.Repeat("v", 3900)})
	}
	for n := range uint32(100) {
		block := w.headers("/Echo/Wait", many...)
		if err := w.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*n + 1, BlockFragment: block, EndHeaders: true}); err != nil {
			break // the server has had enough
		}
		if err := w.WriteData(2*n+1, true, []byte{0, 0, 0, 0, 0}); err != nil {
			break
		}
	}
	w.taken()
	if _, err := f.say(t.Context(), "hi"); err != nil {
		t.Errorf("a good call: %v", err)
	}
	if after := heap(); after > before+64<<20 {
		t.Errorf("100 calls take %d MiB", (after-before)>>20)
	}
	w.Close()
	close(e.leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := f.server.Stop(); err != nil {
		t.Error(err)
	}
}

// Headers that go on and on are held up to the limit and not beyond it.
func TestUnfinishedHeadersTakeNoMemory(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const connections = 50
	all := &counted{Listener: l}
	f := start(t, sgrpc.Listener(all))
	before := heap()
	var sent int64
	for range connections {
		w := openWire(t, f.server.Options().Address)
		sent += int64(len(http2.ClientPreface)) + 9
		frame := func(write func([]byte) error, fields ...hpack.HeaderField) error {
			w.block.Reset()
			for _, field := range fields {
				_ = w.hpack.WriteField(field) // into memory
			}
			sent += int64(w.block.Len()) + 9
			return write(w.block.Bytes())
		}
		block := w.headers("/Echo/Say")
		sent += int64(len(block)) + 9
		if err := w.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block}); err != nil {
			t.Fatal(err)
		}
		for range 150 {
			// Bytes that Huffman's code makes longer, so that they go out as they are.
			if frame(func(b []byte) error { return w.WriteContinuation(1, false, b) },
				hpack.HeaderField{Name: "x", Value: strings.Repeat("~", 15000), Sensitive: true}) != nil {
				break // the server has had enough
			}
		}
	}
	testkit.Eventually(t, 30*time.Second, "the server has read all or closed", func() bool {
		return all.read.Load() >= sent || all.closed.Load() >= connections
	})
	if _, err := f.say(t.Context(), "hi"); err != nil {
		t.Errorf("a good call: %v", err)
	}
	if after := heap(); after > before+64<<20 {
		t.Errorf("%d connections take %d MiB", connections, (after-before)>>20)
	}
}

func TestMaxHeaderListSize(t *testing.T) {
	send := func(f *fixture, n int) error {
		_, err := f.say(grpcmd.AppendToOutgoingContext(t.Context(), "x-big", strings.Repeat("x", n)), "header X-Big")
		return err
	}
	f := start(t)
	if err := send(f, 200<<10); err != nil {
		t.Errorf("200 KiB by default: %v", err)
	}
	if err := send(f, 300<<10); err == nil {
		t.Error("300 KiB by default passed")
	}
	f = start(t, sgrpc.MaxHeaderListSize(8<<10))
	if err := send(f, 6<<10); err != nil {
		t.Errorf("6 KiB of 8: %v", err)
	}
	if err := send(f, 10<<10); err == nil {
		t.Error("10 KiB of 8 passed")
	}
	if err := send(start(t, sgrpc.MaxHeaderListSize(1<<20)), 900<<10); err != nil {
		t.Errorf("900 KiB of 1024: %v", err)
	}
}

func TestMaxConcurrentStreams(t *testing.T) {
	for name, tc := range map[string]struct {
		opts []server.Option
		want int
	}{"by default": {nil, 1000}, "by option": {[]server.Option{sgrpc.MaxConcurrentStreams(7)}, 7}} {
		t.Run(name, func(t *testing.T) {
			f := start(t, tc.opts...)
			c, err := net.Dial("tcp", f.server.Options().Address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
				t.Fatal(err)
			}
			framer := http2.NewFramer(c, c)
			if err := framer.WriteSettings(); err != nil {
				t.Fatal(err)
			}
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := frame.(*http2.SettingsFrame).Value(http2.SettingMaxConcurrentStreams); !ok || int(got) != tc.want {
				t.Errorf("the server allows %d streams, %v, want %d", got, ok, tc.want)
			}
		})
	}
}

// More calls than streams wait for one another, and none fails.
func TestMoreCallsThanStreams(t *testing.T) {
	f := start(t, sgrpc.MaxConcurrentStreams(4))
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := f.say(t.Context(), "hi"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A list of encoded headers once took a processor for seconds.
func TestEncodedHeadersAreAnsweredAtOnce(t *testing.T) {
	f := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	half := 100 << 10
	ctx = grpcmd.AppendToOutgoingContext(ctx, rpc.EncodedHeader, strings.Repeat("a,", half/2), "a", strings.Repeat("%41", half/3))
	if got, err := f.say(ctx, "header A"); err != nil || len(got) != half/3 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestGzip(t *testing.T) {
	f := start(t)
	text := strings.Repeat("服", 1000)
	if got, err := f.say(t.Context(), text, grpc.UseCompressor("gzip")); err != nil || got != text {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	// 64 MiB that fit into 64 KiB: what counts is what comes out.
	bomb := &frames.Frame{Data: make([]byte, 64<<20)}
	err := f.conn.Invoke(t.Context(), "/Echo/Say", bomb, &currentpb.SayReply{}, grpc.UseCompressor("gzip"), clientCodec(t, "application/grpc+proto"))
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a bomb: %v", err)
	}
}
