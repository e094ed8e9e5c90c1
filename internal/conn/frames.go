package conn

import (
	"context"
	"encoding/binary"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
)

// What is used of HTTP/2, RFC 9113.
const (
	prefaceSize   = 24 // of what a client sends before its first frame
	frameHeadSize = 9

	frameHeaders      = 1
	frameSettings     = 4
	frameContinuation = 9
	flagEndHeaders    = 4

	settingSize                 = 6
	settingMaxConcurrentStreams = 3
)

// pingFrame asks for an answer by itself. grpc ignores answers to pings that are
// not its own.
var pingFrame = []byte{0, 0, 8, 6, 0, 0, 0, 0, 0, 'r', 'o', 'l', 'l', 'c', 'a', 'l', 'l'}

// framedCredentials put a framed connection on top of each secured one.
type framedCredentials struct {
	credentials.TransportCredentials
	wire *wire
}

func (f *framedCredentials) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c, info, err := f.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	return f.wire.frame(c), info, nil
}

func (f *framedCredentials) Clone() credentials.TransportCredentials {
	return &framedCredentials{TransportCredentials: f.TransportCredentials.Clone(), wire: f.wire}
}

// framed is the connection as grpc reads and writes it. It reads along in the
// server's first frame, and can send a ping between two frames of grpc.
type framed struct {
	net.Conn
	settled func(maxStreams int64) // told what the first frame says

	first []byte // what was read of it; nil once it was read, grpc's reader's own

	mu      sync.Mutex // held while something is written
	written frames
}

// frame makes c the connection of w.
func (w *wire) frame(c net.Conn) *framed {
	f := &framed{Conn: c, settled: w.settle, first: []byte{}, written: frames{rest: prefaceSize}}
	w.framed.Store(f)
	return f
}

func (f *framed) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if f.first != nil {
		f.readSettings(p[:n])
	}
	return n, err
}

// readSettings takes in more of the first frame, which every server has to begin
// with and which says how many streams it allows.
func (f *framed) readSettings(p []byte) {
	f.first = append(f.first, p...)
	if len(f.first) < frameHeadSize {
		return
	}
	size, kind := frameSize(f.first), f.first[3]
	body := f.first[frameHeadSize:]
	const most = 100 * settingSize // there are fewer than ten
	if kind == frameSettings && size <= most && len(body) < size {
		return
	}
	f.first = nil
	if kind != frameSettings || size > most {
		return
	}
	limit := int64(unlimited)
	for body = body[:size]; len(body) >= settingSize; body = body[settingSize:] {
		if binary.BigEndian.Uint16(body) == settingMaxConcurrentStreams {
			limit = int64(binary.BigEndian.Uint32(body[2:]))
		}
	}
	f.settled(limit)
}

func (f *framed) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.Conn.Write(p)
	f.written.pass(p[:n])
	return n, err
}

// ping sends a ping, unless something is being written: then the connection is
// being asked already.
func (f *framed) ping() {
	if !f.mu.TryLock() {
		return
	}
	defer f.mu.Unlock()
	if f.written.between() {
		_, _ = f.Conn.Write(pingFrame) // grpc learns of a broken connection itself
	}
}

// frames follows a stream of frames.
type frames struct {
	rest int                 // bytes to come of the present frame
	head [frameHeadSize]byte // of the next one
	have int                 // bytes of head
	open bool                // a block of headers goes on in the next frame
}

// pass takes note of p going by.
func (f *frames) pass(p []byte) {
	for len(p) > 0 {
		if f.rest > 0 {
			n := min(f.rest, len(p))
			f.rest, p = f.rest-n, p[n:]
			continue
		}
		n := copy(f.head[f.have:], p)
		f.have, p = f.have+n, p[n:]
		if f.have < frameHeadSize {
			return
		}
		f.have, f.rest = 0, frameSize(f.head[:])
		if kind := f.head[3]; kind == frameHeaders || kind == frameContinuation {
			f.open = f.head[4]&flagEndHeaders == 0
		}
	}
}

// between reports whether another frame may be put in here.
func (f *frames) between() bool { return f.rest == 0 && f.have == 0 && !f.open }

// frameSize returns the size of the frame that begins with head, its head apart.
func frameSize(head []byte) int { return int(head[0])<<16 | int(head[1])<<8 | int(head[2]) }
