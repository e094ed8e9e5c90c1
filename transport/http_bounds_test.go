package transport

import (
	"io"
	"net"
	"strings"
	"testing"
)

// endless are headers without an end.
type endless struct{ at int }

func (e *endless) Read(p []byte) (int, error) {
	const line = "X-Long: 0123456789012345678901234567890123456789\r\n"
	n := 0
	for n < len(p) {
		c := copy(p[n:], line[e.at:])
		e.at = (e.at + c) % len(line)
		n += c
	}
	return n, nil
}

// TestHeadersAreBounded sends messages whose headers do not end, to both ends.
func TestHeadersAreBounded(t *testing.T) {
	for name, receiver := range map[string]struct {
		start string
		of    func(httpConn) interface{ Recv(*Message) error }
	}{
		"request": {"POST / HTTP/1.1\r\n", func(c httpConn) interface{ Recv(*Message) error } { return &httpSocket{httpConn: c} }},
		"answer":  {"HTTP/1.1 200 OK\r\n", func(c httpConn) interface{ Recv(*Message) error } { return &httpClient{httpConn: c} }},
	} {
		t.Run(name, func(t *testing.T) {
			conn, other := net.Pipe()
			defer conn.Close()
			defer other.Close()
			ok := "Content-Length: 2\r\n\r\nok" + receiver.start
			r := receiver.of(newHTTPConn(conn, io.MultiReader(strings.NewReader(receiver.start+ok), &endless{}), 0))
			var m Message
			if err := r.Recv(&m); err != nil || string(m.Body) != "ok" {
				t.Fatalf("the message in front: %q, %v", m.Body, err)
			}
			if err := r.Recv(&m); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes of headers") {
				t.Errorf("headers without an end: %v", err)
			}
		})
	}
}
