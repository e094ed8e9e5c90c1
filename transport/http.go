package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/frame"
	"github.com/rollcall-go/micro/internal/netaddr"
)

const (
	// maxMessageSize is the largest body that is received, in bytes.
	maxMessageSize = 64 << 20
	// maxHeaderSize is the same for headers, and for what frames a body that comes in
	// chunks.
	maxHeaderSize = 1 << 20
)

// NewTransport returns the transport over HTTP/1.1, by which mucp carried calls: each message
// of a client is a POST whose headers and body are those of the message, and each message of
// the server the answer to one. With Secure or TLSConfig it speaks TLS: a listener needs a
// certificate in TLSConfig, and who dials verifies it, by what the system trusts where TLSConfig
// says nothing else. Proxies that the environment names are not used. A body of more than 64 MiB
// is refused, as headers of more than 1 MiB are.
func NewTransport(opts ...Option) Transport {
	t := &httpTransport{}
	_ = t.Init(opts...) // cannot fail
	return t
}

type httpTransport struct {
	mu   sync.Mutex // guards opts
	opts Options
}

var _ Transport = (*httpTransport)(nil)

func (t *httpTransport) Init(opts ...Option) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range opts {
		o(&t.opts)
	}
	return nil
}

func (t *httpTransport) Options() Options {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opts
}

func (t *httpTransport) String() string { return "http" }

// http1 returns a copy of the settings of TLS that demands HTTP/1.1.
func http1(c *tls.Config) *tls.Config {
	if c == nil {
		return &tls.Config{NextProtos: []string{"http/1.1"}}
	}
	c = c.Clone()
	c.NextProtos = []string{"http/1.1"}
	return c
}

func (t *httpTransport) Dial(addr string, opts ...DialOption) (Client, error) {
	d := DialOptions{Timeout: DefaultDialTimeout}
	for _, o := range opts {
		o(&d)
	}
	if d.Timeout <= 0 {
		d.Timeout = DefaultDialTimeout
	}
	o := t.Options()
	dialer := &net.Dialer{Timeout: d.Timeout}
	var conn net.Conn
	var err error
	if o.Secure || o.TLSConfig != nil {
		conn, err = tls.DialWithDialer(dialer, "tcp", addr, http1(o.TLSConfig))
	} else {
		conn, err = dialer.Dial("tcp", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", addr, err)
	}
	return &httpClient{httpConn: newHTTPConn(conn, conn, o.Timeout), addr: addr}, nil
}

// httpConn is what both ends have.
type httpConn struct {
	net.Conn
	timeout time.Duration // of one message; zero for none
	in      *bufio.Reader // of bounded
	bounded *boundedReader
}

// newHTTPConn returns the connection whose messages come from in.
func newHTTPConn(c net.Conn, in io.Reader, timeout time.Duration) httpConn {
	b := &boundedReader{in: in}
	return httpConn{Conn: c, timeout: timeout, in: bufio.NewReader(b), bounded: b}
}

// boundedReader reads so many bytes: net/http bounds only what it serves itself.
type boundedReader struct {
	in   io.Reader
	left int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("receive a message: more than %d bytes of headers, or %d of body", maxHeaderSize, maxMessageSize)
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (c *httpConn) Local() string  { return c.LocalAddr().String() }
func (c *httpConn) Remote() string { return c.RemoteAddr().String() }

// bound sets when a message has to be there, by the method of the connection.
func (c *httpConn) bound(deadline func(time.Time) error) error {
	if c.timeout <= 0 {
		return nil
	}
	return deadline(time.Now().Add(c.timeout))
}

// receive makes a message of what came.
func receive(m *Message, header http.Header, body io.ReadCloser) error {
	data, err := frame.ReadAll(body, maxMessageSize)
	_ = body.Close() // nothing of it is wanted any more
	if err != nil {
		return fmt.Errorf("receive a message: %w", err)
	}
	m.Body, m.Header = data, make(map[string]string, len(header))
	for k := range header {
		m.Header[k] = header.Get(k)
	}
	return nil
}

// headerOf returns the headers of a message.
func headerOf(m *Message) http.Header {
	h := make(http.Header, len(m.Header))
	for k, v := range m.Header {
		h.Set(k, v)
	}
	return h
}

var errNil = errors.New("the message is nil")

// httpClient is the end that dialed.
type httpClient struct {
	httpConn
	addr string
}

func (c *httpClient) Send(m *Message) error {
	if m == nil {
		return errNil
	}
	if err := c.bound(c.SetWriteDeadline); err != nil {
		return err
	}
	req := &http.Request{
		Method: http.MethodPost, URL: &url.URL{Scheme: "http", Host: c.addr}, Host: c.addr,
		Header: headerOf(m), Body: io.NopCloser(bytes.NewReader(m.Body)), ContentLength: int64(len(m.Body)),
	}
	return req.Write(c.Conn)
}

func (c *httpClient) Recv(m *Message) error {
	if m == nil {
		return errNil
	}
	if err := c.bound(c.SetReadDeadline); err != nil {
		return err
	}
	c.bounded.left = maxHeaderSize
	if _, err := c.in.Peek(1); err != nil { // ReadResponse takes an end for one within a message
		return ended(err)
	}
	rsp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	c.bounded.left += maxMessageSize
	var got Message
	if err := receive(&got, rsp.Header, rsp.Body); err != nil {
		return err
	}
	if rsp.StatusCode != http.StatusOK {
		return errors.New(rsp.Status + ": " + string(got.Body))
	}
	*m = got
	return nil
}

// ended returns io.EOF where this end closed the connection, as where the other one did.
func ended(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return io.EOF
	}
	return err
}

func (t *httpTransport) Listen(addr string, opts ...ListenOption) (Listener, error) {
	var lo ListenOptions
	for _, o := range opts {
		o(&lo)
	}
	o := t.Options()
	if o.Secure && o.TLSConfig == nil {
		return nil, fmt.Errorf("listen on %q: to speak TLS takes a certificate: give one by transport.TLSConfig", addr)
	}
	l, err := netaddr.Listen(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	if o.TLSConfig != nil {
		l = tls.NewListener(l, http1(o.TLSConfig))
	}
	return newHTTPListener(l, o.Timeout, handlersOf(o.Context)), nil
}

// handlersKey is where v2 keeps handlers for other paths, and programs may look for them.
const handlersKey = "http_handlers"

func handlersOf(ctx context.Context) map[string]http.Handler {
	if ctx == nil {
		return nil
	}
	handlers, _ := ctx.Value(handlersKey).(map[string]http.Handler)
	return handlers
}
