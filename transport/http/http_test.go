package http_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	stdhttp "net/http"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/transport"
	"github.com/rollcall-go/micro/transport/http"
	"github.com/rollcall-go/micro/transport/transporttest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestTransport(t *testing.T) { transporttest.Run(t, http.NewTransport) }

// secured returns transports of both ends that speak TLS.
func secured(t *testing.T) *tls.Config {
	ca := testkit.NewCA(t)
	files := ca.Server(t)
	cert, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	config := ca.TLS()
	config.Certificates = []tls.Certificate{cert}
	return config
}

func TestTransportByTLS(t *testing.T) {
	config := secured(t)
	transporttest.Run(t, func(opts ...transport.Option) transport.Transport {
		return http.NewTransport(append(opts, transport.Secure(true), transport.TLSConfig(config))...)
	})
}

// serve listens with the options until the test ends.
func serve(t *testing.T, fn func(transport.Socket), opts ...transport.Option) string {
	t.Helper()
	l, err := http.NewTransport(opts...).Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = l.Accept(fn) }()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return l.Addr()
}

func hello(s transport.Socket) {
	var m transport.Message
	if s.Recv(&m) == nil {
		_ = s.Send(&transport.Message{Header: map[string]string{"Micro-Id": m.Header["Micro-Id"]}, Body: append([]byte("Hello, "), m.Body...)})
	}
}

func TestNobodyIsTrustedUnverified(t *testing.T) {
	addr := serve(t, hello, transport.TLSConfig(secured(t)))
	if c, err := http.NewTransport(transport.Secure(true)).Dial(addr); err == nil {
		_ = c.Close()
		t.Error("a certificate of an authority that nobody knows was taken")
	}
	if _, err := http.NewTransport(transport.Secure(true)).Listen("127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("listen by TLS without a certificate: %v", err)
	}
}

// TestAnybodyWhoSpeaksHTTPCanCall takes the client of net/http.
func TestAnybodyWhoSpeaksHTTPCanCall(t *testing.T) {
	status := stdhttp.HandlerFunc(func(w stdhttp.ResponseWriter, _ *stdhttp.Request) { _, _ = io.WriteString(w, "fine") })
	addr := serve(t, hello, http.Handle("/status", status))
	post := func(path string) string {
		req, err := stdhttp.NewRequestWithContext(t.Context(), "POST", "http://"+addr+path, strings.NewReader("John"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Micro-Id", "7")
		req.Close = true
		rsp, err := stdhttp.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer rsp.Body.Close()
		body, err := io.ReadAll(rsp.Body)
		return fmt.Sprint(rsp.StatusCode, " ", string(body), " ", rsp.Header.Get("Micro-Id"), err)
	}
	if got := post("/"); got != "200 Hello, John 7<nil>" {
		t.Errorf("a message: %s", got)
	}
	if got := post("/status"); got != "200 fine <nil>" {
		t.Errorf("another handler: %s", got)
	}
}

// TestAnErrorOfTheServer has a server of net/http answer.
func TestAnErrorOfTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stdhttp.Server{Handler: stdhttp.HandlerFunc(func(w stdhttp.ResponseWriter, _ *stdhttp.Request) {
		w.WriteHeader(500)
		_, _ = io.WriteString(w, "an error occurred")
	})}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	defer func() { _ = s.Close(); <-ended }()
	c, err := http.NewTransport().Dial(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(&transport.Message{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := c.Recv(&transport.Message{}); err == nil || err.Error() != "500 Internal Server Error: an error occurred" {
		t.Errorf("got %v", err)
	}
}

func TestHandleKeepsWhatWasThere(t *testing.T) {
	var o transport.Options
	type key struct{}
	o.Context = context.WithValue(t.Context(), key{}, 1)
	http.Handle("/a", nil)(&o)
	http.Handle("/b", nil)(&o)
	if m, _ := o.Context.Value("http_handlers").(map[string]stdhttp.Handler); len(m) != 2 || o.Context.Value(key{}) != 1 {
		t.Errorf("handlers %v", m)
	}
}
