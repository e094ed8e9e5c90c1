package embedded

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/rollcall-go/micro/internal/testkit"
)

// fast returns the Config of a test: a free port, a new directory, short ticks.
func fast(t *testing.T) Config {
	return Config{DataDir: filepath.Join(t.TempDir(), "etcd"), Address: "127.0.0.1:0", UnsafeFast: true}
}

// start starts an etcd that is stopped at the end of the test at the latest.
func start(t *testing.T, cfg Config) (s *Server, stop func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

// refused starts an etcd that must not start and returns the reason.
func refused(t *testing.T, cfg Config) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := Start(ctx, cfg)
	if err == nil {
		_ = s.Stop(ctx)
		t.Fatal("the etcd started")
	}
	return err
}

func connect(t *testing.T, addr string, config *tls.Config) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{addr}, TLS: config, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestDataOutlivesTheServer(t *testing.T) {
	cfg := fast(t)
	s, stop := start(t, cfg)
	if _, err := connect(t, s.Addr(), nil).Put(within(t, 20*time.Second), "/micro/a", "1"); err != nil {
		t.Fatal(err)
	}
	stop()
	if c, err := net.Dial("tcp", s.Addr()); err == nil {
		_ = c.Close()
		t.Fatal("it still listens after Stop")
	}

	s, _ = start(t, cfg)
	r, err := connect(t, s.Addr(), nil).Get(within(t, 20*time.Second), "/micro/a")
	if err != nil || r.Count != 1 || string(r.Kvs[0].Value) != "1" {
		t.Fatalf("got %v and %v, want what was put before the restart", r, err)
	}
}

// TestStopDoesNotWaitForWatches also shows that the watch goes on at the next
// start, which a client does only if it was told the right reason.
func TestStopDoesNotWaitForWatches(t *testing.T) {
	cfg := fast(t)
	s, stop := start(t, cfg)
	c := connect(t, s.Addr(), nil)
	watch := c.Watch(within(t, time.Minute), "a")
	next := func(want string) {
		t.Helper()
		if _, err := c.Put(within(t, 20*time.Second), "a", want); err != nil {
			t.Fatal(err)
		}
		for r := range watch {
			for _, e := range r.Events {
				if string(e.Kv.Value) == want {
					return
				}
			}
		}
		t.Fatal("the watch has ended")
	}
	next("before")
	begin := time.Now()
	stop()
	if d := time.Since(begin); d > 3*time.Second {
		t.Fatalf("Stop took %v", d)
	}
	cfg.Address = s.Addr()
	start(t, cfg)
	next("after")
}

func TestHTTP(t *testing.T) {
	s, _ := start(t, fast(t))
	if _, err := connect(t, s.Addr(), nil).Put(within(t, 20*time.Second), "/micro/a", "value"); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()

	body := `{"key":"` + base64.StdEncoding.EncodeToString([]byte("/micro/a")) + `"}`
	resp, err := client.Post("http://"+s.Addr()+"/v3/kv/range", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct {
		Kvs []struct{ Key, Value []byte }
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || len(got.Kvs) != 1 || string(got.Kvs[0].Value) != "value" {
		t.Fatalf("status %d, %+v", resp.StatusCode, got)
	}

	health, err := client.Get("http://" + s.Addr() + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer health.Body.Close()
	text, err := io.ReadAll(health.Body)
	if err != nil || !bytes.Contains(text, []byte(`"health":"true"`)) {
		t.Fatalf("health says %q, %v", text, err)
	}
}

func TestTLS(t *testing.T) {
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	server := ca.Server(t)
	cfg := fast(t)
	cfg.CertFile, cfg.KeyFile, cfg.ClientCAFile = server.CertFile, server.KeyFile, ca.File
	s, _ := start(t, cfg)

	own := ca.Client(t, "svc")
	pair, err := tls.LoadX509KeyPair(own.CertFile, own.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	known := ca.TLS()
	known.Certificates = []tls.Certificate{pair}
	if _, err := connect(t, s.Addr(), known).Put(within(t, 20*time.Second), "a", "1"); err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]*tls.Config{
		"no client certificate": ca.TLS(),
		"another authority":     other.TLS(),
		"no TLS":                nil,
	} {
		if _, err := connect(t, s.Addr(), config).Put(within(t, 300*time.Millisecond), "a", "1"); err == nil {
			t.Errorf("%s: the client is answered", name)
		}
	}
}

func TestTakenAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := fast(t)
	cfg.Address = l.Addr().String()
	err = refused(t, cfg)
	if !strings.Contains(err.Error(), "listen on "+cfg.Address) || !strings.Contains(err.Error(), "another address") {
		t.Fatalf("the error names neither address nor fix: %v", err)
	}
}

func TestForeignAddress(t *testing.T) {
	cfg := fast(t)
	cfg.Address = "192.0.2.1:2379"
	if err := refused(t, cfg); !strings.Contains(err.Error(), "listen on 192.0.2.1:2379") {
		t.Fatal(err)
	}
}

func TestBadConfig(t *testing.T) {
	for field, spoil := range map[string]func(*Config){
		"Address":          func(c *Config) { c.Address = "http://127.0.0.1:1" },
		"PeerAddress":      func(c *Config) { c.PeerAddress = "127.0.0.1" },
		"AdvertiseAddress": func(c *Config) { c.AdvertiseAddress = "host:0" },
		"DataDir":          func(c *Config) { c.DataDir = "" },
		"CertFile":         func(c *Config) { c.CertFile = "cert.pem" },
		"ClientCAFile":     func(c *Config) { c.ClientCAFile = "ca.pem" },
		"AutoCompaction":   func(c *Config) { c.AutoCompaction = "often" },
		"Quota":            func(c *Config) { c.Quota = 1000 },
		"LogLevel":         func(c *Config) { c.LogLevel = "loud" },
	} {
		cfg := fast(t)
		spoil(&cfg)
		var bad *ConfigError
		if err := refused(t, cfg); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
		if _, err := os.Stat(cfg.DataDir); cfg.DataDir != "" && err == nil {
			t.Errorf("%s: the data directory was made", field)
		}
	}
}

func TestBadCertificate(t *testing.T) {
	a, b := testkit.NewCA(t).Server(t), testkit.NewCA(t).Server(t)
	cfg := fast(t)
	cfg.CertFile, cfg.KeyFile = a.CertFile, b.KeyFile
	if err := refused(t, cfg); !strings.Contains(err.Error(), "load certificate") {
		t.Fatal(err)
	}
}

func TestPeerListener(t *testing.T) {
	cfg := fast(t)
	cfg.PeerAddress = "127.0.0.1:0"
	s, _ := start(t, cfg)
	if _, err := connect(t, s.Addr(), nil).Put(within(t, 20*time.Second), "a", "1"); err != nil {
		t.Fatal(err)
	}
}

func TestStartHonoursItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg := fast(t)
	s, err := Start(ctx, cfg)
	if err == nil {
		// It may have been ready before it looked.
		if err := s.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
