package http_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	nethttp "net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/http"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

const patience = 20 * time.Second

// connected returns a broker on the loopback that is connected until the test ends.
func connected(t *testing.T, r registry.Registry, opts ...broker.Option) broker.Broker {
	t.Helper()
	b := http.NewBroker(append([]broker.Option{broker.Registry(r), broker.Addrs("127.0.0.1:0")}, opts...)...)
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Disconnect() }) // tests of Disconnect say what it returns
	return b
}

// subscribed subscribes and returns the messages, in the order in which they come.
func subscribed(t *testing.T, b broker.Broker, topic string, opts ...broker.SubscribeOption) chan *broker.Message {
	t.Helper()
	got := make(chan *broker.Message, 10000)
	_, err := b.Subscribe(topic, func(e broker.Event) error {
		got <- e.Message()
		return nil
	}, append([]broker.SubscribeOption{broker.Concurrency(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// receive returns the next message.
func receive[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v = <-from:
	case <-timer.C:
		t.Fatalf("nothing came within %s", patience)
	}
	return v
}

// records returns the nodes of the subscriptions.
func records(t *testing.T, r registry.Registry) (all []*registry.Service) {
	t.Helper()
	all, err := r.GetService("micro.http.broker")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheRecordOfASubscription(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	b := connected(t, r)
	subscribed(t, b, "a/b")
	subscribed(t, b, "a/b", broker.Queue("workers"))
	versions := map[string]bool{}
	for _, s := range records(t, r) {
		versions[s.Version] = true
		n := s.Nodes[0]
		if len(s.Nodes) != 1 || !strings.HasPrefix(n.Id, "a/b-") || n.Address != b.Address() ||
			n.Metadata["broker"] != "http" || n.Metadata["secure"] != "false" || n.Metadata["topic"] != "a/b" {
			t.Errorf("registered %+v with %+v", s, n)
		}
	}
	if len(versions) != 2 || !versions["ff.http.broadcast"] || !versions["workers"] {
		t.Errorf("versions %v", versions)
	}
	if err := b.Disconnect(); err != nil {
		t.Error(err)
	}
	if left, err := r.GetService("micro.http.broker"); err == nil && len(left) > 0 {
		t.Errorf("after Disconnect there is %+v", left[0].Nodes[0])
	}
}

// Where nothing is said of the address, others are given one that they can reach.
func TestAnAddressThatOthersReach(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	b := http.NewBroker(broker.Registry(r))
	if b.Address() != broker.DefaultAddress {
		t.Errorf("before Connect the address is %q", b.Address())
	}
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	defer b.Disconnect()
	subscribed(t, b, "t")
	host, port, _ := strings.Cut(records(t, r)[0].Nodes[0].Address, ":")
	if host == "" || strings.HasPrefix(host, "[::]") || host == "0.0.0.0" || !strings.HasSuffix(b.Address(), ":"+port) {
		t.Errorf("it listens on %s and is registered as %s:%s", b.Address(), host, port)
	}
	given := connected(t, memory.NewRegistry(), http.Advertise("proxy.example:80"))
	subscribed(t, given, "t")
	if got := records(t, given.Options().Registry)[0].Nodes[0].Address; got != "proxy.example:80" {
		t.Errorf("the address that was given is registered as %q", got)
	}
	if err := http.NewBroker(http.Advertise("a b")).Connect(); err == nil || !strings.Contains(err.Error(), `advertise "a b"`) {
		t.Errorf("an address that is none: %v", err)
	}
}

// post posts a body as anybody may, and returns the answer.
func post(t *testing.T, to broker.Broker, method, id, body string, header ...string) (int, string) {
	t.Helper()
	req, err := nethttp.NewRequestWithContext(t.Context(), method, "http://"+to.Address()+"/?"+url.Values{"id": {id}}.Encode(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &nethttp.Client{Transport: &nethttp.Transport{DisableKeepAlives: true}}
	rsp, err := client.Do(req)
	if err != nil {
		t.Fatalf("post: %v", err)
	}
	defer rsp.Body.Close()
	answer, err := io.ReadAll(rsp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rsp.StatusCode, string(answer)
}

func encoded(t *testing.T, topic string, size int) string {
	t.Helper()
	text, err := json.Marshal(&broker.Message{Header: map[string]string{"Micro-Topic": topic}, Body: bytes.Repeat([]byte("x"), size)})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	b := connected(t, r, http.MaxMessageSize(1000), broker.ErrorHandler(func(broker.Event) error { return nil }))
	got := subscribed(t, b, "t")
	subscribed(t, b, "other")
	id := ""
	for _, s := range records(t, r) {
		for _, n := range s.Nodes {
			if n.Metadata["topic"] == "t" {
				id = n.Id
			}
		}
	}
	for name, tt := range map[string]struct {
		method, id, body string
		status           int
		says             string
	}{
		"another method":          {"GET", id, "", 405, "Method not allowed"},
		"no id":                   {"POST", "", encoded(t, "t", 1), 404, "no subscription"},
		"an id that nobody has":   {"POST", strings.Repeat("\x00<&>服", 1000), encoded(t, "t", 1), 404, "no subscription"},
		"no JSON":                 {"POST", id, "{", 500, "Error parsing request body"},
		"nothing":                 {"POST", id, "", 500, "Error parsing request body"},
		"null":                    {"POST", id, "null", 500, "Topic not found"},
		"no topic":                {"POST", id, "{}", 500, "Topic not found"},
		"another topic":           {"POST", id, encoded(t, "other", 1), 404, "another topic"},
		"a message too large":     {"POST", id, encoded(t, "t", 1001), 413, "larger than this subscriber takes"},
		"a body too large":        {"POST", id, strings.Repeat(" ", 2<<20), 413, "larger than this subscriber takes"},
		"a body that never mends": {"POST", id, strings.Repeat("[", 100000), 500, "Error parsing request body"},
	} {
		status, answer := post(t, b, tt.method, tt.id, tt.body)
		if status != tt.status || !strings.Contains(answer, tt.says) || !strings.Contains(answer, `"id":"go.micro.broker"`) || len(answer) > 2000 {
			t.Errorf("%s: answered %d: %.300s, want %d: %s", name, status, answer, tt.status, tt.says)
		}
	}
	if status, answer := post(t, b, "POST", id, encoded(t, "t", 3)); status != 200 || answer != "" {
		t.Errorf("a message: answered %d: %s", status, answer)
	}
	if m := receive(t, got); string(m.Body) != "xxx" || m.Header["Micro-Topic"] != "t" {
		t.Errorf("received %+v", m)
	}
	if len(got) != 0 {
		t.Errorf("%d more messages", len(got))
	}
}

// What is posted again with the key of a message that arrived is not handled again.
func TestPostedAgain(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	b := connected(t, r)
	got := subscribed(t, b, "t")
	id := records(t, r)[0].Nodes[0].Id
	for _, key := range []string{"1", "1", "2", "1", "", ""} {
		if status, answer := post(t, b, "POST", id, encoded(t, "t", 1), "Idempotency-Key", key); status != 200 {
			t.Errorf("key %q: answered %d: %s", key, status, answer)
		}
	}
	for range 4 {
		receive(t, got)
	}
	if err := b.Disconnect(); err != nil { // all is handled
		t.Error(err)
	}
	if len(got) != 0 {
		t.Errorf("%d messages were handled again", len(got))
	}
}

func TestHandlersOfTheProgram(t *testing.T) {
	t.Parallel()
	b := connected(t, memory.NewRegistry(), http.Handle("/status", nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		fmt.Fprint(w, "fine")
	})))
	rsp, err := nethttp.Get("http://" + b.Address() + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer rsp.Body.Close()
	defer nethttp.DefaultClient.CloseIdleConnections()
	if text, err := io.ReadAll(rsp.Body); err != nil || string(text) != "fine" {
		t.Errorf("answered %q, %v", text, err)
	}
}

func TestInitWhileConnected(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	b := connected(t, r)
	if err := b.Init(broker.Registry(r), broker.StopGrace(time.Second)); err != nil {
		t.Errorf("what changes nothing: %v", err)
	}
	for _, o := range []broker.Option{broker.Registry(memory.NewRegistry()), broker.Addrs("127.0.0.1:1"), broker.Secure(true)} {
		if err := b.Init(o); err == nil || !strings.Contains(err.Error(), "cannot init while connected") {
			t.Errorf("got %v", err)
		}
	}
	if b.Options().Registry != r || b.Options().StopGrace != time.Second || b.Options().Secure {
		t.Errorf("options %+v", b.Options())
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	ca := testkit.NewCA(t)
	config := ca.TLS()
	config.Certificates = append(config.Certificates, ca.Server(t).Load(t))
	subscriber := connected(t, r, broker.Secure(true), broker.TLSConfig(config))
	got := subscribed(t, subscriber, "t")
	if n := records(t, r)[0].Nodes[0]; n.Metadata["secure"] != "true" {
		t.Errorf("registered %+v", n)
	}
	publisher := connected(t, r, broker.TLSConfig(ca.TLS()))
	if err := publisher.Publish("t", &broker.Message{Body: []byte("secret")}, broker.Confirmed()); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, got); string(m.Body) != "secret" {
		t.Errorf("received %q", m.Body)
	}
	stranger := connected(t, r, broker.StopGrace(time.Millisecond))
	if err := stranger.Publish("t", &broker.Message{}, broker.Confirmed(), broker.PublishContext(short(t, time.Second))); err == nil {
		t.Error("an authority that nobody trusts is no error")
	}
	for _, b := range []broker.Broker{publisher, connected(t, r, broker.Secure(true))} {
		if _, err := b.Subscribe("t", func(broker.Event) error { return nil }); err == nil || !strings.Contains(err.Error(), "broker.TLSConfig") {
			t.Errorf("subscribe without a certificate: %v", err)
		}
	}
}
