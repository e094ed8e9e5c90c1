package consul

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/reload"
)

// Config says which agents to talk to and how. What is zero is taken from the
// variables that Consul's own tools obey, CONSUL_HTTP_ADDR and its company, and
// then has Consul's default.
type Config struct {
	Addrs  []string // the first that answers is kept
	Secure bool
	TLS    *tls.Config
	// Credentials are the token, a login at what is before the agent (HTTP basic
	// authentication), and certificates.
	credentials.Credentials
	Datacenter string // empty: that of the agent
	Timeout    time.Duration
	// Warn receives what the user should know and no call returns. Nil means nobody.
	Warn func(text string)

	caPath string // a directory of authorities
	most   int64  // bytes of an answer; MaxAnswer unless a test says otherwise
}

// withEnvironment fills in what is zero from the variables.
func (c Config) withEnvironment() (Config, error) {
	get := func(name string) string { return strings.TrimSpace(os.Getenv(name)) }
	if len(c.Addrs) == 0 {
		if addr := get("CONSUL_HTTP_ADDR"); addr != "" {
			c.Addrs = []string{addr}
		}
	}
	if c.Token == "" && c.TokenFile == "" {
		// As in Consul's tools, the file goes before the token.
		if c.TokenFile = get("CONSUL_HTTP_TOKEN_FILE"); c.TokenFile == "" {
			c.Token = get("CONSUL_HTTP_TOKEN")
		}
	}
	if auth := get("CONSUL_HTTP_AUTH"); auth != "" && c.Username == "" {
		c.Username, c.Password, _ = strings.Cut(auth, ":")
	}
	for name, use := range map[string]func(bool) error{
		"CONSUL_HTTP_SSL": func(on bool) error {
			c.Secure = c.Secure || on
			return nil
		},
		"CONSUL_HTTP_SSL_VERIFY": func(on bool) error {
			if on {
				return nil
			}
			return errors.New("certificates are always verified: name the authority to trust with CONSUL_CACERT")
		},
	} {
		value := get(name)
		if value == "" {
			continue
		}
		on, err := strconv.ParseBool(value)
		if err != nil {
			return c, fmt.Errorf("read %s=%q: it is neither true nor false", name, value)
		}
		if err := use(on); err != nil {
			return c, fmt.Errorf("obey %s=%q: %w", name, value, err)
		}
	}
	if c.TLS == nil && !c.TLSFiles.Given() {
		c.TLSFiles = reload.Files{CA: get("CONSUL_CACERT"), Cert: get("CONSUL_CLIENT_CERT"), Key: get("CONSUL_CLIENT_KEY")}
		c.caPath = get("CONSUL_CAPATH")
		if name := get("CONSUL_TLS_SERVER_NAME"); name != "" {
			c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name}
		}
	}
	return c, nil
}

// timeout returns the bound of one operation.
func (c Config) timeout() time.Duration { return cmp.Or(c.Timeout, defaultTimeout) }
