package nats

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	nats "github.com/nats-io/nats.go"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/testkit"
)

// patience is how long something may take that has to happen.
const patience = 30 * time.Second

// connected returns a broker that is connected until the test ends.
func connected(t *testing.T, opts ...broker.Option) *natsBroker {
	t.Helper()
	b := NewBroker(opts...).(*natsBroker)
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Disconnect() }) // tests of Disconnect say what it returns
	return b
}

func TestAddresses(t *testing.T) {
	for given, want := range map[string]string{
		"":                              "nats://127.0.0.1:4222",
		"192.168.10.1:5222":             "nats://192.168.10.1:5222",
		"nats://a:1, b:2,,tls://c:3":    "nats://a:1 nats://b:2 tls://c:3",
		"nats://user:secret@h:4222,h:1": "nats://user:secret@h:4222 nats://h:1",
		"[::1]:4222":                    "nats://[::1]:4222",
	} {
		if got := strings.Join(addresses([]string{given}), " "); got != want {
			t.Errorf("%q: %s, want %s", given, got, want)
		}
	}
	client := nats.GetDefaultOptions()
	client.Servers = []string{"10.0.0.1:1", "10.0.0.2:2"}
	if got := NewBroker(Options(client)).Address(); got != "nats://10.0.0.1:1" {
		t.Errorf("of nats.go's options: %s", got)
	}
	if got := NewBroker(Options(client), broker.Addrs("b:1")).Address(); got != "nats://b:1" {
		t.Errorf("the broker's own: %s", got)
	}
}

func TestNoSecretInTexts(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"nats://user:secret@127.0.0.1:1", "nats://user:sec%ret@127.0.0.1:1", "user:secret@127.0.0.1:1",
		"gopher://user:secret@127.0.0.1:1", "nats://secret@", "nats://user:secret@127.0.0.1:x",
	} {
		b := NewBroker(broker.Addrs(address))
		err := b.Connect()
		if err == nil {
			t.Fatalf("%q: connected", address)
		}
		if text := err.Error() + b.Address(); strings.Contains(text, "sec") {
			t.Errorf("%q: a secret in %q", address, text)
		}
	}
	server := testkit.StartNATS(t, testkit.NATSConfig(`authorization { user: "u", password: "secret" }`))
	b := connected(t, broker.Addrs("nats://u:secret@"+server.Addr()))
	if got := b.Address(); got != server.URL() {
		t.Errorf("address %q", got)
	}
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	locked := testkit.StartNATS(t, testkit.NATSConfig(`authorization { user: "u", password: "p" }`))
	open := testkit.StartNATS(t)
	secure := testkit.StartNATS(t, testkit.NATSTLS(ca))
	frozen := testkit.StartNATS(t)
	frozen.Freeze(t)
	for name, tt := range map[string]struct {
		opts []broker.Option
		says string
	}{
		"nobody there":     {[]broker.Option{broker.Addrs("127.0.0.1:1")}, "nobody listens there"},
		"frozen":           {[]broker.Option{broker.Addrs(frozen.Addr())}, "no answer in time"},
		"no password":      {[]broker.Option{broker.Addrs(locked.Addr())}, "refuses the user or the password"},
		"wrong password":   {[]broker.Option{broker.Addrs(locked.Addr()), Auth("u", "x")}, "refuses the user or the password"},
		"no TLS there":     {[]broker.Option{broker.Addrs(open.Addr()), broker.Secure(true)}, "no TLS"},
		"TLS not trusted":  {[]broker.Option{broker.Addrs(secure.Addr()), TLSFiles(other.File, "", "")}, "certificate"},
		"no such file":     {[]broker.Option{broker.Addrs(secure.Addr()), TLSFiles("missing.pem", "", "")}, "missing.pem"},
		"no password file": {[]broker.Option{broker.Addrs(locked.Addr()), AuthFile("u", "missing.txt")}, "missing.txt"},
		"no creds file":    {[]broker.Option{broker.Addrs(locked.Addr()), CredsFile("missing.creds")}, "missing.creds"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			err := NewBroker(tt.opts...).Connect()
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.HasPrefix(err.Error(), "connect to nats at ") {
				t.Errorf("%v, want %q", err, tt.says)
			}
			if took := time.Since(begun); took > patience {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	cert := ca.Client(t, "me")
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	locked := testkit.StartNATS(t, testkit.NATSConfig(`authorization { user: "u", password: "p" }`))
	token := testkit.StartNATS(t, testkit.NATSConfig(`authorization { token: "t" }`))
	key := testkit.StartNATS(t, testkit.NATSConfig(`authorization { users: [ { nkey: "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4" } ] }`))
	secure := testkit.StartNATS(t, testkit.NATSTLS(ca), testkit.NATSClientCerts())
	for name, opts := range map[string][]broker.Option{
		"in the address": {broker.Addrs("nats://u:p@" + locked.Addr())},
		"option":         {broker.Addrs(locked.Addr()), Auth("u", "p")},
		"file":           {broker.Addrs(locked.Addr()), AuthFile("u", write("p\n"))},
		"token":          {broker.Addrs(token.Addr()), TokenFile(write("t\n"))},
		"nkey":           {broker.Addrs(key.Addr()), NKeyFile(write("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"))},
		"certificate":    {broker.Addrs(secure.Addr()), TLSFiles(ca.File, cert.CertFile, cert.KeyFile)},
	} {
		t.Run(name, func(t *testing.T) {
			if err := connected(t, opts...).Publish("a", &broker.Message{}, broker.Confirmed()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWithoutConnect(t *testing.T) {
	b := NewBroker()
	_, err := b.Subscribe("a", func(broker.Event) error { return nil })
	for _, err := range []error{err, b.Publish("a", &broker.Message{})} {
		if !errors.Is(err, broker.ErrNotConnected) || !strings.Contains(err.Error(), "call Connect first") {
			t.Errorf("%v", err)
		}
	}
	if err := b.Disconnect(); err != nil {
		t.Errorf("Disconnect() = %v", err)
	}
}

func TestAway(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]broker.Option{"core": nil, "jetstream": {JetStream(quick)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testkit.StartNATS(t)
			b := connected(t, append(opts, broker.Addrs(server.Addr()))...)
			got := make(chan string, 100)
			if _, err := b.Subscribe("a", func(e broker.Event) error { got <- string(e.Message().Body); return nil }); err != nil {
				t.Fatal(err)
			}
			server.Kill()
			testkit.Eventually(t, patience, "a publisher hears that the server is away", func() bool {
				return errors.Is(b.Publish("a", &broker.Message{Body: []byte("lost")}), ErrAway)
			})
			if _, err := b.Subscribe("b", func(broker.Event) error { return nil }); !errors.Is(err, broker.ErrNotConnected) {
				t.Errorf("subscribe while away: %v", err)
			}
			server.Wipe()
			server.Restart(t)
			testkit.Passes(t, patience, "the server is found again", func() error {
				return b.Publish("a", &broker.Message{Body: []byte("found")}, broker.Confirmed())
			})
			next := func() bool {
				if err := b.Publish("a", &broker.Message{Body: []byte("found")}); err != nil {
					return false
				}
				select {
				case body := <-got:
					return body == "found"
				default:
					return false
				}
			}
			testkit.Eventually(t, patience, "the subscription goes on", next)
		})
	}
}

func TestDisconnectFinishes(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	for name, opts := range map[string][]broker.Option{"core": nil, "jetstream": {JetStream(quick)}} {
		for _, workers := range []int{1, 4} {
			b, other := connected(t, append(opts, broker.Addrs(server.Addr()))...), connected(t, broker.Addrs(server.Addr()))
			topic := name + string(rune('0'+workers))
			release, begun := make(chan struct{}), make(chan struct{}, 100)
			var handled sync.WaitGroup
			handled.Add(20)
			if _, err := b.Subscribe(topic, func(broker.Event) error {
				begun <- struct{}{}
				<-release
				handled.Done()
				return nil
			}, broker.Concurrency(workers)); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				if err := other.Publish(topic, &broker.Message{}, broker.Confirmed()); err != nil {
					t.Fatal(err)
				}
			}
			<-begun
			ended := make(chan error, 1)
			go func() { ended <- b.Disconnect() }()
			close(release)
			if err := <-ended; err != nil {
				t.Errorf("%s: %v", topic, err)
			}
			if n := len(begun) + 1; name == "core" && n != 20 {
				t.Errorf("%s: %d messages were handled, want 20", topic, n)
			}
		}
	}
}

func TestDisconnectIsBounded(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	for name, opts := range map[string][]broker.Option{"core": nil, "jetstream": {JetStream(quick)}} {
		b := connected(t, append(opts, broker.Addrs(server.Addr()), broker.StopGrace(50*time.Millisecond))...)
		release, begun := make(chan struct{}), make(chan struct{})
		if _, err := b.Subscribe(name, func(broker.Event) error { close(begun); <-release; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := b.Publish(name, &broker.Message{}); err != nil {
			t.Fatal(err)
		}
		<-begun
		if err := b.Disconnect(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: Disconnect() = %v", name, err)
		}
		close(release)
	}
}

func TestSlowConsumerIsReported(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	told := make(chan broker.Event, 10)
	b := connected(t, broker.Addrs(server.Addr()), PendingLimits(2, 1<<20), broker.ErrorHandler(func(e broker.Event) error { told <- e; return nil }))
	release := make(chan struct{})
	defer close(release)
	if _, err := b.Subscribe("slow", func(broker.Event) error { <-release; return nil }); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := b.Publish("slow", &broker.Message{}); err != nil {
			t.Fatal(err)
		}
	}
	if e := <-told; e.Topic() != "slow" || !errors.Is(e.Error(), nats.ErrSlowConsumer) {
		t.Errorf("told of %q: %v", e.Topic(), e.Error())
	}
}
