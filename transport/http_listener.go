package transport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/panics"
	"github.com/rollcall-go/micro/logger"
)

// headerTimeout bounds the time from the connection to its first request's headers.
const headerTimeout = 10 * time.Second

// httpListener takes the connections of a server of HTTP over at their first request.
type httpListener struct {
	net.Listener
	timeout  time.Duration
	handlers map[string]http.Handler
	server   *http.Server
	panics   panics.Log

	mu      sync.Mutex // guards what follows
	closed  bool
	sockets map[*httpSocket]struct{}
	serving sync.WaitGroup
}

func newHTTPListener(l net.Listener, timeout time.Duration, handlers map[string]http.Handler) *httpListener {
	return &httpListener{
		Listener: l, timeout: timeout, handlers: handlers, sockets: map[*httpSocket]struct{}{},
		server: &http.Server{ReadHeaderTimeout: headerTimeout, ErrorLog: log.New(lines{}, "", 0)},
	}
}

// lines has what the server of HTTP says of connections that failed at debug level.
type lines struct{}

func (lines) Write(p []byte) (int, error) {
	logger.Debugf("Transport [http] Connection failed: %s", bytes.TrimSpace(p))
	return len(p), nil
}

func (l *httpListener) Addr() string { return l.Listener.Addr().String() }

func (l *httpListener) Accept(fn func(Socket)) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { l.serve(w, r, fn) })
	for pattern, h := range l.handlers {
		mux.Handle(pattern, h)
	}
	l.server.Handler = mux
	err := l.server.Serve(l.Listener)
	_ = l.Close()
	l.serving.Wait()
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// serve hands a connection to fn, from its first request on.
func (l *httpListener) serve(w http.ResponseWriter, r *http.Request, fn func(Socket)) {
	var first Message
	if err := receive(&first, r.Header, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, fmt.Sprintf("take over the connection: %v; speak HTTP/1.1", err), http.StatusInternalServerError)
		return
	}
	s := &httpSocket{httpConn: newHTTPConn(conn, rw.Reader, l.timeout), first: &first}
	_ = conn.SetDeadline(time.Time{}) // of the server's; a connection that is gone says so itself
	if !l.enter(s) {
		return
	}
	defer l.leave(s)
	defer func() {
		if v := recover(); v != nil {
			text, at := l.panics.Describe(v)
			logger.Errorf("panic recovered: %s%s", text, at)
		}
	}()
	fn(s)
}

func (l *httpListener) enter(s *httpSocket) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = s.Close()
		return false
	}
	l.serving.Add(1)
	l.sockets[s] = struct{}{}
	return true
}

func (l *httpListener) leave(s *httpSocket) {
	_ = s.Close() // may be closed already
	l.mu.Lock()
	delete(l.sockets, s)
	l.mu.Unlock()
	l.serving.Done()
}

// Close ends Accept and the connections that it took.
func (l *httpListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	err := l.Listener.Close()
	_ = l.server.Close() // closes the listener once more
	for s := range l.sockets {
		_ = s.Close()
	}
	return err
}

// httpSocket is the end that was dialed.
type httpSocket struct {
	httpConn
	first *Message // nil once it was received
}

func (s *httpSocket) Recv(m *Message) error {
	if m == nil {
		return errNil
	}
	if s.first != nil {
		*m, s.first = *s.first, nil
		return nil
	}
	if err := s.bound(s.SetReadDeadline); err != nil {
		return err
	}
	s.bounded.left = maxHeaderSize
	r, err := http.ReadRequest(s.in)
	if err != nil {
		return ended(err)
	}
	s.bounded.left += maxMessageSize
	var got Message
	if err := receive(&got, r.Header, r.Body); err != nil {
		return err
	}
	*m = got
	return nil
}

func (s *httpSocket) Send(m *Message) error {
	if m == nil {
		return errNil
	}
	if err := s.bound(s.SetWriteDeadline); err != nil {
		return err
	}
	rsp := &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1,
		Header: headerOf(m), Body: io.NopCloser(bytes.NewReader(m.Body)), ContentLength: int64(len(m.Body)),
	}
	out := bufio.NewWriter(s.Conn)
	if err := rsp.Write(out); err != nil {
		return err
	}
	return out.Flush()
}
