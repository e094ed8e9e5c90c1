package embedded

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// ask sends one request to path, with the headers, as a program or a browser does.
func ask(t *testing.T, addr, method, path, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

var put = `{"key":"` + base64.StdEncoding.EncodeToString([]byte("/micro/registry/evil/n")) + `","value":"e30="}`

// TestPagesAreKeptOut shows that a page in a browser neither writes, nor
// reads, whatever headers the browser sends for it.
func TestPagesAreKeptOut(t *testing.T) {
	s, _ := start(t, fast(t))
	_, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for name, headers := range map[string][]string{
		"simple request":     {"Origin", "http://evil.example", "Content-Type", "text/plain"},
		"form":               {"Origin", "http://evil.example", "Content-Type", "application/x-www-form-urlencoded"},
		"file or sandbox":    {"Origin", "null"},
		"referer alone":      {"Referer", "http://evil.example/page"},
		"page of this host":  {"Origin", "http://127.0.0.1:8080"},
		"rebound name":       {"Host", "evil.example"},
		"rebound, own port":  {"Host", "evil.example:" + port},
		"rebound and origin": {"Host", "evil.example:" + port, "Origin", "http://evil.example:" + port},
		"prefix of ours":     {"Host", "localhost.evil.example:" + port},
	} {
		for _, path := range []string{"/v3/kv/put", "/v3beta/kv/put"} {
			if code, _, text := ask(t, s.Addr(), http.MethodPost, path, put, headers...); code == http.StatusOK {
				t.Errorf("%s: %s answers %s", name, path, text)
			}
		}
		for _, path := range []string{"/metrics", "/debug/vars", "/health", "/version", "/v3/kv/put"} {
			for _, method := range []string{http.MethodGet, http.MethodOptions} {
				code, answer, text := ask(t, s.Addr(), method, path, "", headers...)
				for header := range answer {
					if strings.HasPrefix(header, "Access-Control-") {
						t.Errorf("%s: %s %s carries %s", name, method, path, header)
					}
				}
				if strings.HasPrefix(name, "rebound") && code != http.StatusMisdirectedRequest {
					t.Errorf("%s: %s %s answers %d %s", name, method, path, code, text)
				}
			}
		}
	}
	r, err := connect(t, s.Addr(), nil).Get(within(t, 20*time.Second), "/micro/registry/evil/n")
	if err != nil || r.Count != 0 {
		t.Fatalf("a page has written: %v, %v", r, err)
	}
}

// TestPagesDoNotUseWebSockets closes the way around CORS: a page may read what
// comes over those.
func TestPagesDoNotUseWebSockets(t *testing.T) {
	s, _ := start(t, fast(t))
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /v3/watch HTTP/1.1\r\nHost: "+s.Addr()+"\r\nOrigin: http://evil.example\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(conn)
	upgrade, err := http.ReadResponse(answer, nil)
	if err != nil || upgrade.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("no upgrade, so nothing is shown: %v, %v", upgrade, err)
	}
	if err := upgrade.Body.Close(); err != nil {
		t.Fatal(err)
	}
	watch := `{"create_request":{"key":"AA==","range_end":"AA=="}}`
	frame := append([]byte{0x81, byte(0x80 | len(watch)), 0, 0, 0, 0}, watch...) // masked with zeros
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer) // ends with the connection
	if !strings.Contains(string(text), "answers programs only") {
		t.Errorf("got %q", text)
	}
}

// TestPagesAreKeptOutWithTLS shows the same where the certificate is one that
// browsers trust.
func TestPagesAreKeptOutWithTLS(t *testing.T) {
	ca := testkit.NewCA(t)
	own := ca.Server(t)
	cfg := fast(t)
	cfg.CertFile, cfg.KeyFile = own.CertFile, own.KeyFile
	s, _ := start(t, cfg)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: ca.TLS(), ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	for origin, want := range map[string]int{"": http.StatusOK, "https://evil.example": http.StatusForbidden, "null": http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+s.Addr()+"/v3/kv/put", strings.NewReader(put))
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want || resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%q is answered %s, %v", origin, resp.Status, resp.Header)
		}
	}
}

func TestProgramsAreServed(t *testing.T) {
	cfg := fast(t)
	cfg.Address, cfg.AdvertiseAddress = "0.0.0.0:0", "etcd.example:2379"
	before := ownAddresses(t)
	s, _ := start(t, cfg)
	_, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	addr := net.JoinHostPort("127.0.0.1", port)
	// Tests beside this one make interfaces, which come and go.
	own := slices.DeleteFunc(ownAddresses(t), func(host string) bool { return !slices.Contains(before, host) })
	for _, host := range append([]string{addr, "127.0.0.1", "localhost", "localhost:" + port, "[::1]:" + port, "[::1]", "etcd.example", "etcd.example:2379"}, own...) {
		if code, _, text := ask(t, addr, http.MethodPost, "/v3/kv/put", put, "Host", host); code != http.StatusOK {
			t.Errorf("%s: the put is answered %d %s", host, code, text)
		}
		if code, _, text := ask(t, addr, http.MethodGet, "/metrics", "", "Host", host); code != http.StatusOK {
			t.Errorf("%s: the metrics are answered %d %s", host, code, text)
		}
	}
}

func ownAddresses(t *testing.T) (hosts []string) {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			hosts = append(hosts, net.JoinHostPort(n.IP.String(), "2379"))
		}
	}
	return hosts
}

func TestExposed(t *testing.T) {
	authority := testkit.NewCA(t)
	own, file := authority.Server(t), authority.File
	for name, tt := range map[string]struct {
		change func(*Config)
		want   []string // parts of the warnings, in order
	}{
		"loopback":  {func(*Config) {}, nil},
		"all":       {func(c *Config) { c.Address = "0.0.0.0:0" }, []string{"can change what is registered"}},
		"all, IPv6": {func(c *Config) { c.Address = "[::]:0" }, []string{"can change what is registered"}},
		"TLS alone": {func(c *Config) { c.Address, c.CertFile, c.KeyFile = ":0", own.CertFile, own.KeyFile }, []string{"can change what is registered"}},
		"certificates": {func(c *Config) {
			c.Address, c.CertFile, c.KeyFile, c.ClientCAFile = ":0", own.CertFile, own.KeyFile, file
		}, nil},
		"peers": {func(c *Config) { c.PeerAddress = "0.0.0.0:0" }, []string{"peer address 0.0.0.0:"}},
		"peers with TLS": {func(c *Config) {
			c.PeerAddress, c.PeerCertFile, c.PeerKeyFile, c.PeerCAFile = "0.0.0.0:0", own.CertFile, own.KeyFile, file
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := fast(t)
			tt.change(&cfg)
			s, _ := start(t, cfg)
			got := s.Exposed()
			if len(got) != len(tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			for i, part := range tt.want {
				if !strings.Contains(got[i], part) {
					t.Errorf("got %q, want %q", got[i], part)
				}
			}
		})
	}
}

// TestExposedWithUsers shows that an etcd with users is not open.
func TestExposedWithUsers(t *testing.T) {
	cfg := fast(t)
	cfg.Address = "0.0.0.0:0"
	s, _ := start(t, cfg)
	c := connect(t, s.Addr(), nil)
	ctx := within(t, 20*time.Second)
	if _, err := c.UserAdd(ctx, "root", "secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UserGrantRole(ctx, "root", "root"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AuthEnable(ctx); err != nil {
		t.Fatal(err)
	}
	if got := s.Exposed(); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}
