package conn

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
)

// What is used of HTTP/2, RFC 9113.
const (
	prefaceSize   = 24 // of what a client sends before its first frame
	frameHeadSize = 9
	pingSize      = 8 // of what a ping carries

	frameData         = 0
	frameHeaders      = 1
	frameSettings     = 4
	framePing         = 6
	frameContinuation = 9
	flagAck           = 1
	flagEndHeaders    = 4

	settingSize                 = 6
	settingMaxConcurrentStreams = 3
)

// pingFrame asks for an answer by itself. grpc ignores answers to pings that are
// not its own.
var pingFrame = []byte{0, 0, pingSize, framePing, 0, 0, 0, 0, 0, 'r', 'o', 'l', 'l', 'c', 'a', 'l', 'l'}

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

// framed is the connection as grpc reads and writes it. It reads along, and can send
// a ping between two frames of grpc.
type framed struct {
	net.Conn
	settled func(maxStreams int64) // told what the first frame says
	// explain says what an error means before the first frame was whole.
	explain func(err error, first []byte) error
	ended   func() // told when nothing more can be read
	// spoken says that the first frame was whole; unspoken has, once, the error with which
	// reading ended before that.
	spoken   atomic.Bool
	unspoken chan error

	// answers counts the frames of answers to calls. A server that counts pings counts
	// anew with each that it sends; forgiven is how many pings had been answered when
	// the last one came, so that they are surely not counted any more.
	answers, forgiven atomic.Uint64

	// What belongs to grpc's reader.
	first []byte // what was read of the first frame; nil once that is whole
	read  frames
	acked uint64 // pings of ours that were answered

	broken atomic.Pointer[error] // why it was broken off

	mu      sync.Mutex // held while something is written; guards what follows
	written frames
	owed    bool // a ping is to be sent as soon as a frame ends
}

// frame makes c the connection of w.
func (w *wire) frame(c net.Conn) *framed {
	f := &framed{Conn: c, settled: w.settle, explain: w.unspoken, ended: w.broke, unspoken: make(chan error, 1), first: []byte{}, written: frames{rest: prefaceSize}}
	w.framed.Store(f)
	return f
}

func (f *framed) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if f.first != nil {
		f.readSettings(p[:n])
	}
	for rest, whole := f.read.next(p[:n]); whole; rest, whole = f.read.next(rest) {
		switch head := &f.read.head; {
		case head[3] == frameData || head[3] == frameHeaders:
			f.answers.Add(1)
			if f.forgiven.Load() != f.acked {
				f.forgiven.Store(f.acked)
			}
		case head[3] == framePing && head[4]&flagAck != 0 && bytes.Equal(head[frameHeadSize:], pingFrame[frameHeadSize:]):
			f.acked++
		}
	}
	if err == nil {
		return n, nil
	}
	f.ended()
	if f.first != nil {
		err = f.explain(err, f.first)
	}
	if why := f.broken.Load(); why != nil {
		err = *why
	}
	if f.first != nil {
		select {
		case f.unspoken <- err:
		default:
		}
	}
	return n, err
}

// breakOff closes the connection. Calls on it fail for the given reason.
func (f *framed) breakOff(why error) {
	f.broken.Store(&why)
	_ = f.Conn.Close() // the reader gets the reason
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
	f.spoken.Store(true)
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
	f.sendOwed()
	if err != nil && !f.spoken.Load() {
		err = f.refusal(err)
	}
	return n, err
}

// refusalWait bounds the wait for what the node said before it ended a connection.
const refusalWait = time.Second

// refusal returns why the node ended the connection before its first frame, which is there to
// be read even where writing failed first: that it wants a certificate, for example.
func (f *framed) refusal(unwritten error) error {
	timer := time.NewTimer(refusalWait)
	defer timer.Stop()
	select {
	case why := <-f.unspoken:
		return why
	case <-timer.C:
		return unwritten
	}
}

// ping sends a ping. It waits while something else is being written.
func (f *framed) ping() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owed = true
	f.sendOwed()
}

// sendOwed sends the ping that is owed, if it may stand here. The caller holds mu.
func (f *framed) sendOwed() {
	if f.owed && f.written.between() {
		f.owed = false
		_, _ = f.Conn.Write(pingFrame) // grpc learns of a broken connection itself
	}
}

// frames finds the borders between HTTP/2 frames in bytes that go by.
type frames struct {
	rest int                            // bytes to come of the present frame
	head [frameHeadSize + pingSize]byte // of the last or the next one; what a ping carries belongs to it
	have int                            // bytes of the next one's head
	open bool                           // a block of headers goes on in the next frame
}

// pass follows p, the next bytes of the stream.
func (f *frames) pass(p []byte) {
	for whole := true; whole; {
		p, whole = f.next(p)
	}
}

// next follows p up to the end of the next head and returns what comes after it. whole
// says that p had the end of a head.
func (f *frames) next(p []byte) (rest []byte, whole bool) {
	for len(p) > 0 {
		if f.rest > 0 {
			n := min(f.rest, len(p))
			f.rest, p = f.rest-n, p[n:]
			continue
		}
		size := frameHeadSize
		if f.have >= size {
			size = len(f.head)
		}
		n := copy(f.head[f.have:size], p)
		f.have, p = f.have+n, p[n:]
		kind, carries := f.head[3], frameSize(f.head[:])
		switch {
		case f.have < size:
			return nil, false
		case f.have == frameHeadSize && kind == framePing && carries == pingSize:
			continue
		case kind == frameHeaders || kind == frameContinuation:
			f.open = f.head[4]&flagEndHeaders == 0
		}
		f.rest, f.have = carries-(f.have-frameHeadSize), 0
		return p, true
	}
	return nil, false
}

// between reports whether another frame may be put in here.
func (f *frames) between() bool { return f.rest == 0 && f.have == 0 && !f.open }

// frameSize returns the size of the frame that begins with head, its head apart.
func frameSize(head []byte) int { return int(head[0])<<16 | int(head[1])<<8 | int(head[2]) }
