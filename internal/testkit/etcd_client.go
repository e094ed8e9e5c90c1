package testkit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

const (
	// Root is the name and the password of the user that may do everything, once
	// EnableAuth has run.
	Root = "root"
	// readyTimeout bounds the wait for an etcd that was just started.
	readyTimeout = 40 * time.Second
	// requestTimeout bounds one request of the kit's own.
	requestTimeout = 20 * time.Second
)

// Client returns a new client of the etcd, as root if users are on. It
// reconnects within 100 ms, and it is closed at the end of the test.
func (e *Etcd) Client(t testing.TB) *clientv3.Client {
	t.Helper()
	c, err := e.dial(requestTimeout)
	if err != nil {
		t.Fatalf("connect to etcd on %s: %v", e.addr, err)
	}
	t.Cleanup(func() { closeClient(t, c) })
	return c
}

// TLS returns what a client needs to trust this etcd, and a client certificate
// where one is demanded. It is nil without TLS.
func (e *Etcd) TLS(t testing.TB) *tls.Config {
	t.Helper()
	c, err := e.tls()
	if err != nil {
		t.Fatalf("make a client certificate: %v", err)
	}
	return c
}

// WaitReady returns the moment at which the etcd first answered a Range to a
// client that is made for it now. The test fails if it does not in 20 seconds.
func (e *Etcd) WaitReady(t testing.TB) time.Time {
	t.Helper()
	at, err := e.ready()
	if err != nil {
		t.Fatalf("wait for etcd %s on %s: %v", e.kind, e.addr, err)
	}
	return at
}

// EnableAuth adds root and a user who may read and write below /micro/, and turns
// users on.
func (e *Etcd) EnableAuth(t testing.TB, user, password string) {
	t.Helper()
	const role, first, end = "micro", "/micro/", "/micro0" // '0' follows '/'
	c := e.Client(t)
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	steps := []func() error{
		func() error { _, err := c.UserAdd(ctx, Root, Root); return err },
		func() error { _, err := c.UserGrantRole(ctx, Root, Root); return err },
		func() error { _, err := c.RoleAdd(ctx, role); return err },
		func() error {
			_, err := c.RoleGrantPermission(ctx, role, first, end, clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := c.UserAdd(ctx, user, password); return err },
		func() error { _, err := c.UserGrantRole(ctx, user, role); return err },
		func() error { _, err := c.AuthEnable(ctx); return err },
	}
	// Older releases do not know the role of root until it is added.
	if e.kind.upstream() {
		steps = append([]func() error{
			func() error { _, err := c.RoleAdd(ctx, Root); return err },
		}, steps...)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("turn users on in etcd on %s: %v", e.addr, err)
		}
	}
	e.users = true
}

// Right is what a user may do with the keys that begin with Prefix.
type Right struct {
	Prefix      string
	Read, Write bool
}

// AddUser adds a user with these rights. Call it after EnableAuth.
func (e *Etcd) AddUser(t testing.TB, user, password string, rights ...Right) {
	t.Helper()
	c := e.Client(t)
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	role := "of-" + user
	_, err := c.RoleAdd(ctx, role)
	for _, r := range rights {
		kind := clientv3.PermReadWrite
		switch {
		case !r.Write:
			kind = clientv3.PermRead
		case !r.Read:
			kind = clientv3.PermWrite
		}
		_, granted := c.RoleGrantPermission(ctx, role, r.Prefix, clientv3.GetPrefixRangeEnd(r.Prefix), clientv3.PermissionType(kind))
		err = errors.Join(err, granted)
	}
	_, added := c.UserAdd(ctx, user, password)
	_, given := c.UserGrantRole(ctx, user, role)
	if err := errors.Join(err, added, given); err != nil {
		t.Fatalf("add user %q to etcd on %s: %v", user, e.addr, err)
	}
}

// SetPassword gives a user another password.
func (e *Etcd) SetPassword(t testing.TB, user, password string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	if _, err := e.Client(t).UserChangePassword(ctx, user, password); err != nil {
		t.Fatalf("change the password of %q in etcd on %s: %v", user, e.addr, err)
	}
}

// Compact removes all history, so that nobody can resume a watch from before.
func (e *Etcd) Compact(t testing.TB) {
	t.Helper()
	c := e.Client(t)
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	now, err := c.Get(ctx, "/", clientv3.WithCountOnly())
	if err == nil {
		_, err = c.Compact(ctx, now.Header.Revision, clientv3.WithCompactPhysical())
	}
	if err != nil {
		t.Fatalf("compact etcd on %s: %v", e.addr, err)
	}
}

// ready asks until it is answered, the process has ended or the time is up.
func (e *Etcd) ready() (time.Time, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	p := e.process()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	var last error
	for ctx.Err() == nil {
		if last = e.ask(ctx); last == nil {
			return time.Now(), nil
		}
	}
	if !p.alive() {
		return time.Time{}, fmt.Errorf("the process has ended: %w", last)
	}
	return time.Time{}, last
}

// ask sends one Range with a client of its own and waits up to two seconds.
func (e *Etcd) ask(ctx context.Context) error {
	c, err := e.dial(2 * time.Second)
	if err != nil {
		waitFor(ctx, 10*time.Millisecond)
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err = c.Get(ctx, "/", clientv3.WithCountOnly())
	return errors.Join(err, c.Close())
}

// waitFor waits for d or until ctx is done.
func waitFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// dial returns a new client. With users it waits for a login, up to the timeout.
func (e *Etcd) dial(timeout time.Duration) (*clientv3.Client, error) {
	tlsConfig, err := e.tls()
	if err != nil {
		return nil, err
	}
	cfg := clientv3.Config{
		Endpoints:   []string{e.addr},
		DialTimeout: timeout,
		TLS:         tlsConfig,
		Logger:      zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.5, Jitter: 0.2, MaxDelay: 100 * time.Millisecond},
			MinConnectTimeout: time.Second,
		})},
	}
	if e.users {
		cfg.Username, cfg.Password = Root, Root
	}
	return clientv3.New(cfg)
}

func (e *Etcd) tls() (*tls.Config, error) {
	if e.ca == nil {
		return nil, nil
	}
	c := e.ca.trust()
	if e.clientCerts {
		own, err := e.ca.certify(Subject{Name: "client"})
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}

func closeClient(t testing.TB, c *clientv3.Client) {
	if err := c.Close(); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("close the client of etcd: %v", err)
	}
}
