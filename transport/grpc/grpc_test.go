package grpc

import (
	"crypto/tls"
	"strings"
	"testing"

	"google.golang.org/grpc/mem"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/transport"
	"github.com/rollcall-go/micro/transport/transporttest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestTransport(t *testing.T) { transporttest.Run(t, NewTransport) }

func TestTransportByTLS(t *testing.T) {
	ca := testkit.NewCA(t)
	files := ca.Server(t)
	cert, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	config := ca.TLS()
	config.Certificates = []tls.Certificate{cert}
	transporttest.Run(t, func(opts ...transport.Option) transport.Transport {
		return NewTransport(append(opts, transport.TLSConfig(config))...)
	})
	if _, err := NewTransport(transport.Secure(true)).Listen("127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("listen by TLS without a certificate: %v", err)
	}
}

// FuzzMessage reads what somebody may send.
func FuzzMessage(f *testing.F) {
	b, _ := codec{}.Marshal(&transport.Message{Header: map[string]string{"a": "b"}, Body: []byte("c")})
	f.Add(b.Materialize())
	f.Add([]byte("\x0a\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m, again transport.Message
		if (codec{}).Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, &m) != nil {
			return
		}
		b, err := codec{}.Marshal(&m)
		if err != nil {
			t.Fatal(err)
		}
		if err := (codec{}).Unmarshal(b, &again); err != nil || len(m.Header) != len(again.Header) || string(m.Body) != string(again.Body) {
			t.Errorf("%v became %v, %v", m, again, err)
		}
	})
}
