package consul

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/reload"
)

const defaultTimeout = defaults.RegistryTimeout

// Client talks to the first of several agents that answers, and to the next one after
// that failed. It opens connections with its first request. Its methods may be called
// by several goroutines at once.
type Client struct {
	config   Config
	err      error // what makes it unusable for ever
	agents   []*agent
	token    *reload.Password // nil if it comes from no file
	password *reload.Password

	mu      sync.Mutex
	current int // the agent that answered last

	requests, failures atomic.Uint64
}

// agent is one address with the connections to it.
type agent struct {
	target
	http *http.Client
}

// Open returns a client. It does no I/O; what makes the client unusable is told by
// Err and by every method. The caller must call Close.
func Open(c Config) *Client {
	client := &Client{}
	// As in Consul's tools, the variables that name certificates ask for no TLS.
	secure := c.TLS != nil || c.TLSFiles.Given()
	c, err := c.withEnvironment()
	client.config = c
	if err != nil {
		client.err = err
		return client
	}
	if c.TokenFile != "" {
		client.token = reload.NewPassword(c.TokenFile, c.Warn)
	}
	if c.PasswordFile != "" {
		client.password = reload.NewPassword(c.PasswordFile, c.Warn)
	}
	addrs := c.Addrs
	if len(addrs) == 0 {
		addrs = []string{defaultAddr}
	}
	secure = secure || c.Secure
	for _, addr := range addrs {
		t, err := parseAddr(addr, secure)
		if err != nil {
			client.err = err
			return client
		}
		client.agents = append(client.agents, client.agent(t))
	}
	return client
}

// agent returns the agent at t.
func (c *Client) agent(t target) *agent {
	dialer := &net.Dialer{Timeout: connectTimeout}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, t.network, t.dial)
	}
	files := reload.NewTLS(c.config.TLSFiles, c.config.Warn)
	return &agent{target: t, http: &http.Client{
		// An agent redirects nobody, and a PUT would become a GET.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dial,
			DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				config, err := c.tls(files, t.host)
				if err != nil {
					return nil, err
				}
				plain, err := dial(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				conn := tls.Client(plain, config)
				if err := conn.HandshakeContext(ctx); err != nil {
					return nil, errors.Join(err, plain.Close())
				}
				return conn, nil
			},
			MaxIdleConnsPerHost: MaxBlocking,
			IdleConnTimeout:     time.Minute,
		},
	}}
}

// connectTimeout bounds the making of one connection.
const connectTimeout = 2 * time.Second

// tls returns the settings of the next handshake with the agent at host.
func (c *Client) tls(files *reload.TLS, host string) (*tls.Config, error) {
	config, err := files.Config(c.config.TLS)
	if err != nil {
		return nil, err
	}
	if config.ServerName == "" {
		config.ServerName = host // of a socket
		if name, _, err := net.SplitHostPort(host); err == nil {
			config.ServerName = name
		}
	}
	if c.config.caPath != "" && config.RootCAs == nil {
		config.RootCAs, err = authoritiesIn(c.config.caPath)
	}
	return config, err
}

// authoritiesIn returns the authorities in the files of a directory.
func authoritiesIn(dir string) (*x509.CertPool, error) {
	pool, found := x509.NewCertPool(), false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		found = pool.AppendCertsFromPEM(content) || found
		return err
	})
	if err == nil && !found {
		err = errors.New("there is no certificate in PEM form in it")
	}
	if err != nil {
		return nil, fmt.Errorf("read the authorities in CONSUL_CAPATH=%q: %w", dir, err)
	}
	return pool, nil
}

// Err returns what makes the client unusable for ever, such as a malformed address,
// nil if nothing does.
func (c *Client) Err() error { return c.err }

// Close closes the connections that nobody uses. Requests under way end with their
// contexts, which are the callers'.
func (c *Client) Close() {
	for _, a := range c.agents {
		a.http.CloseIdleConnections()
	}
}

// Addr returns the address of the agent that answered last.
func (c *Client) Addr() string {
	if c.err != nil {
		return ""
	}
	return c.preferred().text
}

// Counts returns how many requests were sent, and how many of them failed.
func (c *Client) Counts() (requests, failures uint64) {
	return c.requests.Load(), c.failures.Load()
}

func (c *Client) preferred() *agent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.agents[c.current]
}

// failed makes the agent after a the preferred one, unless that happened already.
func (c *Client) failed(a *agent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.agents[c.current] == a {
		c.current = (c.current + 1) % len(c.agents)
	}
}
