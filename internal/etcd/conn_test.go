package etcd

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
)

func get(t *testing.T, c *Conn) error {
	t.Helper()
	return c.Do(t.Context(), "read a key", func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Get(ctx, "/micro/a")
		return err
	})
}

func wantText(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

// wantRefusal returns an error of get that says all of texts. The first request may
// run out of time before the connection was refused.
func wantRefusal(t *testing.T, c *Conn, texts ...string) (err error) {
	t.Helper()
	testkit.Eventually(t, soon, fmt.Sprintf("an error says %q", texts), func() bool {
		err = get(t, c)
		return err != nil && !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(err.Error(), text) })
	})
	return err
}

func TestMalformedAddressIsPermanent(t *testing.T) {
	t.Parallel()
	c := open(t, Config{Addrs: []string{"bad:1:2"}})
	wantText(t, c.Err(), `"bad:1:2"`)
	wantText(t, get(t, c), "read a key", `"bad:1:2"`)
	_, err := c.Client(t.Context())
	wantText(t, err, `"bad:1:2"`)
	if l := c.Link(); l.Up || l.Generation != 0 {
		t.Errorf("link %+v", l)
	}
}

func TestDeadAddress(t *testing.T) {
	t.Parallel()
	c := open(t, Config{Addrs: []string{"127.0.0.1:1"}, Timeout: 300 * time.Millisecond})
	if c.Link().Err != nil {
		t.Errorf("before the first use the link says %v", c.Link().Err)
	}
	err := wantRefusal(t, c, "read a key: etcd at 127.0.0.1:1", "no answer within", "connection refused")
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v hides its causes", err)
	}
	if l := c.Link(); l.Up || !errors.Is(l.Err, syscall.ECONNREFUSED) {
		t.Errorf("link %+v", l)
	}
}

// Who gives up for a reason reads it, and why there is no connection.
func TestGivenUpForAReason(t *testing.T) {
	t.Parallel()
	c := open(t, Config{Addrs: []string{"127.0.0.1:1"}})
	reason := errors.New("found elsewhere")
	ctx, giveUp := context.WithCancelCause(t.Context())
	asked := make(chan error, 1)
	go func() {
		asked <- c.Do(ctx, "read a key", func(ctx context.Context, client *clientv3.Client) error {
			_, err := client.Get(ctx, "/micro/a")
			return err
		})
	}()
	testkit.Eventually(t, soon, "an attempt has failed", func() bool { return c.Link().Err != nil })
	giveUp(reason)
	err := <-asked
	wantText(t, err, "read a key: etcd at 127.0.0.1:1: found elsewhere: ", "connection refused")
	if !errors.Is(err, reason) || !errors.Is(err, syscall.ECONNREFUSED) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v hides its causes", err)
	}
}

// With a user, the client of etcd itself would wait without end.
func TestDeadAddressWithUser(t *testing.T) {
	t.Parallel()
	c := open(t, Config{Addrs: []string{"127.0.0.1:1"}, Username: "u", Password: "p", Timeout: 300 * time.Millisecond})
	wantRefusal(t, c, "connection refused", "127.0.0.1:1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Client(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Client under a cancelled context: %v", err)
	}
}

func TestEtcdAppears(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.Kill()
	c := open(t, Config{Addrs: []string{e.Addr()}, Timeout: 30 * time.Second})
	asked := make(chan error, 1)
	go func() { asked <- get(t, c) }()
	testkit.Eventually(t, soon, "an attempt has failed", func() bool { return c.Link().Err != nil })
	answers := e.Restart(t)
	if err := <-asked; err != nil {
		t.Fatal(err)
	}
	if late := time.Since(answers); late > 4*time.Second {
		t.Errorf("answered %v after etcd did", late)
	}
	if l := c.Link(); !l.Up || l.Generation != 1 || l.Addr != e.Addr() || l.Err != nil || l.Heard.IsZero() {
		t.Errorf("link %+v", l)
	}
}

// What an answer came from is told at once, not when somebody has looked.
func TestLinkIsUpOnceAnswered(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	for range 50 {
		c := Open(Config{Addrs: []string{e.Addr()}})
		if err := get(t, c); err != nil {
			t.Fatal(err)
		}
		if l := c.Link(); !l.Up || l.Generation != 1 || l.Addr != e.Addr() || l.Err != nil {
			t.Fatalf("link %+v", l)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLinkTellsRestart(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, Config{Addrs: []string{e.Addr()}})
	if err := get(t, c); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, soon, "the link is up", func() bool { return c.Link().Up })
	before := c.Link()
	e.Kill()
	<-before.Changed
	testkit.Eventually(t, soon, "the link says why it is down", func() bool { l := c.Link(); return !l.Up && l.Err != nil })
	e.Restart(t)
	// Without any request in between.
	testkit.Eventually(t, soon, "the link is up again", func() bool { return c.Link().Up })
	if l := c.Link(); l.Generation != before.Generation+1 || !l.Since.After(before.Since) {
		t.Errorf("link %+v after %+v", l, before)
	}
}

func TestFrozenEtcd(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, Config{Addrs: []string{e.Addr()}, Timeout: 500 * time.Millisecond, Silence: 200 * time.Millisecond})
	testkit.Passes(t, soon, "etcd answers", func() error { return get(t, c) })
	testkit.Eventually(t, soon, "the link is up", func() bool { return c.Link().Up })
	e.Freeze(t)
	begun := time.Now()
	err := get(t, c)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the request took %v", took)
	}
	wantText(t, err, "no answer within", e.Addr())
	if c.Link().Up {
		t.Error("the silent connection is still in use")
	}
	wantText(t, get(t, c), "no answer", e.Addr())
	e.Thaw(t)
	testkit.Eventually(t, soon, "etcd answers again", func() bool { return get(t, c) == nil })
}

// A caller without time to spare says nothing about the connection.
func TestImpatientCallerDoesNotEndTheConnection(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, Config{Addrs: []string{e.Addr()}, Silence: time.Nanosecond})
	if err := get(t, c); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, soon, "the link is up", func() bool { return c.Link().Up })
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	err := c.Do(ctx, "read a key", func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Get(ctx, "/micro/a")
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline that passed", err)
	}
	if l := c.Link(); !l.Up || l.Generation != 1 {
		t.Errorf("link %+v, want the first connection", l)
	}
}

func TestWrongAuthorityThenRight(t *testing.T) {
	t.Parallel()
	right, wrong := testkit.NewCA(t), testkit.NewCA(t)
	e := testkit.StartEtcd(t, testkit.WithTLS(wrong))
	c := open(t, Config{Addrs: []string{e.Addr()}, TLS: right.TLS(), Timeout: 500 * time.Millisecond})
	err := wantRefusal(t, c, "certificate signed by unknown authority", e.Addr())
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("the error %v hides the certificate's", err)
	}
	answers := e.RestartTLS(t, right)
	testkit.Eventually(t, soon, "the right certificate is accepted", func() bool { return get(t, c) == nil })
	if late := time.Since(answers); late > 4*time.Second {
		t.Errorf("connected %v after etcd had the right certificate", late)
	}
}

func TestSecureVerifies(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t, testkit.WithTLS(testkit.NewCA(t)))
	for _, cfg := range []Config{
		{Addrs: []string{e.Addr()}, Secure: true},
		{Addrs: []string{"https://" + e.Addr()}},
	} {
		cfg.Timeout = 300 * time.Millisecond
		wantRefusal(t, open(t, cfg), "certificate")
	}
	plain := open(t, Config{Addrs: []string{e.Addr()}, Timeout: 500 * time.Millisecond})
	wantRefusal(t, plain, "speaks TLS")
}

func TestMissingClientCertificate(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	e := testkit.StartEtcd(t, testkit.WithTLS(ca), testkit.WithClientCerts())
	c := open(t, Config{Addrs: []string{e.Addr()}, TLS: ca.TLS(), Timeout: 500 * time.Millisecond})
	wantRefusal(t, c, "certificate", e.Addr())
	good := open(t, Config{Addrs: []string{e.Addr()}, TLS: e.TLS(t)})
	if err := get(t, good); err != nil {
		t.Error(err)
	}
}

func TestPlainEtcdAskedForTLS(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, Config{Addrs: []string{"https://" + e.Addr()}, Timeout: 500 * time.Millisecond})
	wantRefusal(t, c, "TLS handshake", e.Addr())
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := open(t, Config{Addrs: []string{l.Addr().String()}, Timeout: 2500 * time.Millisecond})
	wantRefusal(t, c, "does not answer", l.Addr().String())
}

func TestCloseIsFinal(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := Open(Config{Addrs: []string{e.Addr()}})
	if err := get(t, c); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := get(t, c); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := Open(Config{}).Close(); err != nil {
		t.Errorf("close without use: %v", err)
	}
}

func TestOwnClientIsNotClosed(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	c := Open(Config{Client: client, Addrs: []string{"ignored:0"}})
	if err := get(t, c); err != nil {
		t.Fatal(err)
	}
	if got := c.Addrs(); len(got) != 1 || got[0] != e.Addr() {
		t.Errorf("addresses %q", got)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Put(t.Context(), "/micro/a", "1"); err != nil {
		t.Errorf("the program's own client after Close: %v", err)
	}
}

func TestReconnectOfAnotherGeneration(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, Config{Addrs: []string{e.Addr()}})
	if err := get(t, c); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, soon, "the link is up", func() bool { return c.Link().Up })
	c.Reconnect(c.Link().Generation+1, errors.New("nonsense"))
	if l := c.Link(); !l.Up || l.Generation != 1 {
		t.Errorf("link %+v", l)
	}
	c.Reconnect(1, errors.New("test"))
	if l := c.Link(); l.Up && l.Generation == 1 { // the second may be up already
		t.Errorf("link %+v, want down", l)
	}
	testkit.Eventually(t, soon, "a new connection", func() bool { l := c.Link(); return l.Up && l.Generation == 2 })
}

func wantNoText(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(err.Error(), text) {
			t.Errorf("error %q says %q", err, text)
		}
	}
}
