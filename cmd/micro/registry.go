package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	etcdreg "github.com/rollcall-go/micro/registry/etcd"
)

// defaultAddress is where etcd is when nobody says where.
const defaultAddress = "127.0.0.1:2379"

// registryFlags returns the flags of every command that needs a registry. timeout
// is the default of --timeout.
func registryFlags(timeout time.Duration) []cli.Flag {
	const category = "Registry"
	return []cli.Flag{
		&cli.StringFlag{Name: "registry", EnvVars: []string{"MICRO_REGISTRY"}, DefaultText: "etcd", Category: category,
			Usage: "`KIND` of registry: etcd"},
		&cli.StringFlag{Name: "registry_address", EnvVars: []string{"MICRO_REGISTRY_ADDRESS"}, DefaultText: defaultAddress, Category: category,
			Usage: "comma-separated `HOST:PORT` of the registry's servers"},
		&cli.StringFlag{Name: "registry_user", EnvVars: []string{"MICRO_REGISTRY_USER"}, Category: category,
			Usage: "log in to etcd as `USER`"},
		&cli.StringFlag{Name: "registry_password", EnvVars: []string{"MICRO_REGISTRY_PASSWORD"}, Category: category,
			Usage: "log in to etcd with `PASSWORD`; the variable does not show it to others"},
		&cli.StringFlag{Name: "registry_tls_ca", EnvVars: []string{"MICRO_REGISTRY_TLS_CA"}, Category: category,
			Usage: "trust the authority whose certificate is in `FILE`"},
		&cli.StringFlag{Name: "registry_tls_cert", EnvVars: []string{"MICRO_REGISTRY_TLS_CERT"}, Category: category,
			Usage: "show etcd the certificate in `FILE`"},
		&cli.StringFlag{Name: "registry_tls_key", EnvVars: []string{"MICRO_REGISTRY_TLS_KEY"}, Category: category,
			Usage: "the private key of that certificate is in `FILE`"},
		&cli.StringFlag{Name: "timeout", Value: timeout.String(), Category: category,
			Usage: "give up after `DURATION`"},
	}
}

// registryTarget says which registry a command works on.
type registryTarget struct {
	addrs          []string // nil means that none was given
	tls            *tls.Config
	user, password string
	timeout        time.Duration
}

// targetOf reads the flags of registryFlags.
func targetOf(c *cli.Context) (registryTarget, error) {
	p := registryTarget{user: c.String("registry_user"), password: c.String("registry_password")}
	if kind := strings.TrimSpace(c.String("registry")); kind != "" && kind != "etcd" {
		return p, usagef("invalid value %q for \"--registry\": choose etcd, the only one that can be looked into from outside", kind)
	}
	if (p.user == "") != (p.password == "") {
		return p, usagef("invalid value %q for \"--registry_user\": a user and a password come together, give both or none", p.user)
	}
	if list := strings.TrimSpace(c.String("registry_address")); list != "" {
		for _, addr := range strings.Split(list, ",") {
			p.addrs = append(p.addrs, strings.TrimSpace(addr))
		}
	}
	timeout, err := time.ParseDuration(c.String("timeout"))
	if err != nil || timeout <= 0 {
		return p, usagef("invalid value %q for \"--timeout\": give a duration such as 500ms, 5s or 1m", c.String("timeout"))
	}
	p.timeout = timeout
	if p.tls, err = tlsOf(c); err != nil {
		return p, err
	}
	conn := etcd.Open(p.config())
	if err := conn.Err(); err != nil {
		return p, usagef("invalid value %q for \"--registry_address\": %v", c.String("registry_address"), err)
	}
	return p, conn.Close()
}

// tlsOf returns the settings of TLS, nil if none were given.
func tlsOf(c *cli.Context) (*tls.Config, error) {
	ca, cert, key := c.String("registry_tls_ca"), c.String("registry_tls_cert"), c.String("registry_tls_key")
	if ca == "" && cert == "" && key == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, usagef("invalid value %q for \"--registry_tls_ca\": %v", ca, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usagef("invalid value %q for \"--registry_tls_ca\": there is no certificate in PEM form in it", ca)
		}
	}
	if cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, usagef("invalid value %q for \"--registry_tls_cert\", with key %q: %v", cert, key, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func (p registryTarget) config() etcd.Config {
	return etcd.Config{Addrs: p.addrs, TLS: p.tls, Username: p.user, Password: p.password, Timeout: p.timeout}
}

// String names the registry.
func (p registryTarget) String() string {
	if p.addrs == nil {
		return "etcd at " + defaultAddress
	}
	return "etcd at " + strings.Join(p.addrs, ", ")
}

// explain says, where nobody chose an etcd, which one it was that failed.
func (p registryTarget) explain(err error) error {
	if err == nil || p.addrs != nil {
		return err
	}
	return fmt.Errorf("%w; no --registry_address was given: name your etcd, or start one with `micro server`", err)
}

// withRegistry wraps an action that needs a registry. In front of a table on a
// terminal it says which registry that is, if nobody said.
func withRegistry(action func(*cli.Context, registryTarget, registry.Registry) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		p, err := targetOf(c)
		if err != nil {
			return err
		}
		if err := p.reach(c.Context); err != nil {
			return p.explain(err)
		}
		if p.addrs == nil && isTerminal(c.App.Writer) {
			fmt.Fprintln(c.App.ErrWriter, dim(c.App.ErrWriter, "no --registry_address given: "+p.String()))
		}
		// Standard output is for what was asked for.
		if err := logger.Init(logger.WithOutput(c.App.ErrWriter)); err != nil {
			return fmt.Errorf("set the log up: %w", err)
		}
		return p.use(func(r registry.Registry) error { return action(c, p, r) })
	}
}

// use calls f with the registry, open for that long.
func (p registryTarget) use(f func(registry.Registry) error) error {
	r := etcdreg.NewRegistry(func(o *registry.Options) { o.Addrs = p.addrs },
		registry.TLSConfig(p.tls), registry.Timeout(p.timeout), etcdreg.Auth(p.user, p.password))
	err := f(r)
	if c, ok := r.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// reach returns an error if none of the addresses can be connected to. A library
// waits for a registry that is away; a person wants to hear of it at once.
func (p registryTarget) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	conn := etcd.Open(p.config())
	addrs := conn.Addrs()
	results := make(chan error, len(addrs))
	for _, addr := range addrs {
		go func() {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if err == nil {
				err = c.Close()
			}
			results <- err
		}()
	}
	err := conn.Close()
	for range addrs {
		one := <-results
		if one == nil {
			return nil // the others end with ctx
		}
		err = errors.Join(err, one)
	}
	return fmt.Errorf("connect to %s: %s", p, strings.ReplaceAll(err.Error(), "\n", "; "))
}
