package transport

import (
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-go/micro/codec/json"
)

func TestDefaults(t *testing.T) {
	if s := DefaultTransport.String(); s != "http" {
		t.Errorf("String() = %q, want http", s)
	}
	if DefaultDialTimeout != 5*time.Second {
		t.Errorf("DefaultDialTimeout = %v, want 5s", DefaultDialTimeout)
	}
}

func TestOptions(t *testing.T) {
	config := new(tls.Config)
	tr := NewTransport(Addrs("a", "b"))
	if err := tr.Init(Codec(json.Marshaler{}), Timeout(time.Second), Secure(true), TLSConfig(config)); err != nil {
		t.Fatal(err)
	}
	o := tr.Options()
	if !slices.Equal(o.Addrs, []string{"a", "b"}) || o.Codec != (json.Marshaler{}) || o.Timeout != time.Second || !o.Secure || o.TLSConfig != config {
		t.Errorf("options %+v", o)
	}
	var d DialOptions
	for _, opt := range []DialOption{WithStream(), WithTimeout(time.Minute)} {
		opt(&d)
	}
	if want := (DialOptions{Stream: true, Timeout: time.Minute}); d != want {
		t.Errorf("dial options %+v, want %+v", d, want)
	}
}
