package conn

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/net/http2"
)

// Wherever grpc cuts its writes, a ping stands between two frames, and never
// within a block of headers.
func TestPingsStandBetweenFrames(t *testing.T) {
	var wire bytes.Buffer
	wire.WriteString(http2.ClientPreface)
	fr := http2.NewFramer(&wire, nil)
	for id := uint32(1); id < 40; id += 2 {
		_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte("some"), EndHeaders: id%4 == 1})
		if id%4 != 1 {
			_ = fr.WriteContinuation(id, false, []byte("more"))
			_ = fr.WriteContinuation(id, true, nil)
		}
		_ = fr.WriteData(id, true, make([]byte, id*7%100))
		_ = fr.WriteWindowUpdate(0, 1)
	}
	sent := wire.Bytes()
	for range 100 {
		out := &recorder{}
		f := &framed{Conn: out, written: frames{rest: prefaceSize}}
		for rest := sent; len(rest) > 0; {
			n := min(1+rand.IntN(30), len(rest))
			if _, err := f.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
			f.ping()
		}
		pings := 0
		got := http2.NewFramer(nil, bytes.NewReader(out.Bytes()[prefaceSize:]))
		for {
			frame, err := got.ReadFrame() // which minds that blocks of headers are whole
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := frame.(*http2.PingFrame); ok {
				pings++
			}
		}
		if pings == 0 {
			t.Fatal("no ping was sent")
		}
	}
}

// recorder is a connection that keeps what is written.
type recorder struct {
	net.Conn
	bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) { return r.Buffer.Write(p) }
func (r *recorder) Read(p []byte) (int, error)  { return r.Buffer.Read(p) }

func TestSettings(t *testing.T) {
	var wire bytes.Buffer
	fr := http2.NewFramer(&wire, nil)
	_ = fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 70000}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100})
	limited := bytes.Clone(wire.Bytes())
	wire.Reset()
	_ = fr.WriteSettings()
	free := bytes.Clone(wire.Bytes())
	for name, tc := range map[string]struct {
		read []byte
		want int64 // 0: not told
	}{
		"limited":    {append(limited, "and more"...), 100},
		"free":       {free, unlimited},
		"cut":        {limited[:len(limited)-1], 0},
		"no HTTP/2":  {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 0},
		"huge frame": {append([]byte{255, 255, 255, frameSettings, 0}, make([]byte, 5000)...), 0},
	} {
		var got int64
		f := &framed{Conn: &recorder{Buffer: *bytes.NewBuffer(tc.read)}, ended: func() {}, explain: func(err error, _ []byte) error { return err }, first: []byte{}, settled: func(n int64) { got = n }}
		p := make([]byte, 5)
		for {
			if _, err := f.Read(p); err != nil {
				break
			}
		}
		if got != tc.want || len(f.first) > 2000 {
			t.Errorf("%s: got %d, want %d; %d bytes kept", name, got, tc.want, len(f.first))
		}
	}
}

// Pings that had been answered when an answer to a call came are not counted by the
// server any more, however reads are cut. Those of grpc are its own affair.
func TestPingsAreForgiven(t *testing.T) {
	var wire bytes.Buffer
	fr := http2.NewFramer(&wire, nil)
	ours := [8]byte(pingFrame[frameHeadSize:])
	_ = fr.WriteSettings()
	_ = fr.WritePing(true, [8]byte{1})
	_ = fr.WritePing(false, ours)
	_ = fr.WritePing(true, ours)
	_ = fr.WriteData(1, false, pingFrame)
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("some"), EndHeaders: true})
	_ = fr.WritePing(true, ours)
	_ = fr.WriteWindowUpdate(0, 1)
	for size := 1; size < wire.Len(); size++ {
		f := &framed{Conn: &recorder{Buffer: *bytes.NewBuffer(wire.Bytes())}, ended: func() {}, explain: func(err error, _ []byte) error { return err }, first: []byte{}, settled: func(int64) {}}
		for p := make([]byte, size); ; {
			if _, err := f.Read(p); err != nil {
				break
			}
		}
		if f.answers.Load() != 2 || f.forgiven.Load() != 1 || f.acked != 2 {
			t.Fatalf("reads of %d bytes: %d answers, %d of %d pings forgiven", size, f.answers.Load(), f.forgiven.Load(), f.acked)
		}
	}
}

// What a node says before it ends a connection is the error of a write too that failed
// before it was read; after the first frame a write has an error of its own.
func TestRefusalIsTheErrorOfAWrite(t *testing.T) {
	refused := errors.New("refused")
	f := &framed{Conn: ended{}, ended: func() {}, explain: func(error, []byte) error { return refused }, unspoken: make(chan error, 1), first: []byte{}, written: frames{rest: prefaceSize}}
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = f.Read(make([]byte, 9)) })
	if _, err := f.Write([]byte("preface")); err != refused {
		t.Errorf("before the first frame: got %v, want what the node said", err)
	}
	reading.Wait()
	f.spoken.Store(true)
	if _, err := f.Write([]byte("more")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("after the first frame: got %v, want %v", err, syscall.EPIPE)
	}
}

// ended is a connection that the other end has closed.
type ended struct{ net.Conn }

func (ended) Write([]byte) (int, error) { return 0, syscall.EPIPE }
func (ended) Read([]byte) (int, error)  { return 0, io.EOF }
