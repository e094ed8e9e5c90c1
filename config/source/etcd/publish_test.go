package etcd

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// said returns what etcd is told of the instances of a service in a namespace.
func said(t *testing.T, c *clientv3.Client, namespace, service string) []layout.AppliedRecord {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l := layout.Layout{Namespace: namespace}
	got, err := c.Get(ctx, l.ConfigAppliedOf(service), clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	var all []layout.AppliedRecord
	for _, kv := range got.Kvs {
		r, err := l.DecodeApplied(string(kv.Key), kv.Value)
		if err != nil {
			t.Fatal(err)
		}
		if kv.Lease == 0 {
			t.Fatalf("%q stays for ever", kv.Key)
		}
		all = append(all, r)
	}
	return all
}

// says waits until the only instance of a service says what is wanted.
func says(t *testing.T, c *clientv3.Client, namespace, service, what string, is func(layout.AppliedRecord) bool) (got layout.AppliedRecord) {
	t.Helper()
	testkit.Eventually(t, patience, what, func() bool {
		all := said(t, c, namespace, service)
		if len(all) != 1 {
			return false
		}
		got = all[0]
		return is(got)
	})
	return got
}

// configured returns a configuration of one source, which is closed with the test.
func configured(t *testing.T, s source.Source) config.Config {
	t.Helper()
	c, err := config.NewConfig(config.WithSource(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func putAt(t *testing.T, c *clientv3.Client, key, value string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done, err := c.Put(ctx, key, value)
	if err != nil {
		t.Fatal(err)
	}
	return done.Header.Revision
}

// sumOf is the checksum of pairs of keys and values, as docs/WIRE.md has it.
func sumOf(pairs ...string) string {
	var lines []string
	for pair := range slices.Chunk(pairs, 2) {
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(pair[1])), pair[0]))
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, ""))))
}

type port struct{ Port int }

func (p *port) Validate() error {
	if p.Port > 9999 {
		return errors.New(`the port "hunter2" is too high`)
	}
	return nil
}

func TestWhatIsInForceIsSaid(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	putAt(t, c, "/n/micro/config/db", `{ "port" : 1 }`)
	putAt(t, c, "/n/micro/config/_service/other/x", `1`)
	who := source.Instance{Service: "shop", Node: "shop-1", Host: "h", Version: "2", Environment: "prod"}
	conf := configured(t, NewSource(WithAddress(e.Addr()), Namespace("n"), Layers("shop", "prod"), Instance(who)))
	base := []string{"/n/micro/config/db", `{ "port" : 1 }`}
	first := says(t, c, "n", "shop", "what is in force is said", func(r layout.AppliedRecord) bool { return r.Checksum == sumOf(base...) })
	if first.Node != "shop-1" || first.Host != "h" || first.Version != "2" || first.Environment != "prod" || first.Stale != "" || len(first.Refused) > 0 || first.At.IsZero() {
		t.Errorf("it says %+v", first)
	}
	if want := (layout.ReadsRecord{Prefix: "/micro/config/", Layered: true, Service: "shop", Environment: "prod"}); first.Reads != want {
		t.Errorf("it reads %+v", first.Reads)
	}

	// A value that cannot be read: the one before it is in force.
	bad := putAt(t, c, "/n/micro/config/db", `{"password": hunter2`)
	r := says(t, c, "n", "shop", "the refused value is said", func(r layout.AppliedRecord) bool { return r.Revision == bad })
	if r.Checksum != first.Checksum || len(r.Refused) != 1 || r.Refused[0].Key != "/n/micro/config/db" || r.Refused[0].Revision != bad || !strings.Contains(r.Refused[0].Reason, "line 1") || strings.Contains(r.Refused[0].Reason, "hunter2") {
		t.Errorf("it says %+v", r)
	}

	// A part of the program that does not take its value.
	db, err := config.Bind[port](conf, "db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	high := putAt(t, c, "/n/micro/config/db", `{"port":70000}`)
	r = says(t, c, "n", "shop", "the refused part is said", func(r layout.AppliedRecord) bool { return r.Revision == high })
	if r.Checksum != sumOf("/n/micro/config/db", `{"port":70000}`) || len(r.Refused) != 1 || !slices.Equal(r.Refused[0].Path, []string{"db"}) || !strings.Contains(r.Refused[0].Reason, "is too high") || strings.Contains(r.Refused[0].Reason, "hunter2") {
		t.Errorf("it says %+v", r)
	}
	good := putAt(t, c, "/n/micro/config/db", `{"port":7}`)
	r = says(t, c, "n", "shop", "nothing is refused", func(r layout.AppliedRecord) bool { return r.Revision == good })
	if len(r.Refused) != 0 || db.Get().Port != 7 {
		t.Errorf("it says %+v of %+v", r, db.Get())
	}

	// What it does not read is not its business.
	putAt(t, c, "/n/micro/config/_service/other/x", `2`)
	gone, err := c.Delete(t.Context(), "/n/micro/config/db")
	if err != nil {
		t.Fatal(err)
	}
	r = says(t, c, "n", "shop", "the deletion is said", func(r layout.AppliedRecord) bool { return r.Revision == gone.Header.Revision })
	if r.Checksum != sumOf() {
		t.Errorf("it says %+v", r)
	}
	if len(said(t, c, "", "shop")) != 0 {
		t.Error("another namespace is told")
	}
	if err := conf.Close(); err != nil {
		t.Fatal(err)
	}
	if len(said(t, c, "n", "shop")) != 0 {
		t.Error("it is said after the configuration was closed")
	}
}

// TestNothingIsInForceBeforeEveryPartHasIt checks that a part that is busy with a value
// holds back what is said.
func TestNothingIsInForceBeforeEveryPartHasIt(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	before := putAt(t, c, "/micro/config/db", `{"port":1}`)
	conf := configured(t, NewSource(WithAddress(e.Addr()), StripPrefix(true), Instance(source.Instance{Service: "shop", Node: "n"})))
	db, err := config.Bind[port](conf, "db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	entered, release := make(chan struct{}), make(chan struct{})
	db.OnChange(func(_, _ *port) { close(entered); <-release })
	says(t, c, "", "shop", "what is in force is said", func(r layout.AppliedRecord) bool { return r.Revision == before })
	after := putAt(t, c, "/micro/config/db", `{"port":2}`)
	<-entered
	testkit.Elapse(t, 2*time.Second) // nothing can be waited for: nothing is to be said
	if r := said(t, c, "", "shop"); len(r) != 1 || r[0].Revision != before {
		t.Errorf("a part is still at it, and said is %+v", r)
	}
	close(release)
	says(t, c, "", "shop", "it is said once the part has it", func(r layout.AppliedRecord) bool { return r.Revision == after })
}

func TestWhoSaysNothing(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	who := source.Instance{Service: "quiet", Node: "n"}
	configured(t, NewSource(WithAddress(e.Addr())))
	configured(t, NewSource(WithAddress(e.Addr()), Instance(source.Instance{Service: "quiet"})))
	configured(t, NewSource(WithAddress(e.Addr()), Instance(who), Publish(false)))
	leaving := configured(t, NewSource(WithAddress(e.Addr()), Instance(source.Instance{Service: "leaving", Node: "n"})))
	says(t, c, "", "leaving", "it is said", func(layout.AppliedRecord) bool { return true })
	if n := len(said(t, c, "", "quiet")); n != 0 {
		t.Errorf("%d say something", n)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := leaving.(source.Leaver).Leave(ctx); err != nil {
		t.Fatal(err)
	}
	if len(said(t, c, "", "leaving")) != 0 {
		t.Error("an instance that left is spoken of")
	}
	leaving.(source.Instanced).SetInstance(source.Instance{})
	says(t, c, "", "leaving", "it is said again", func(layout.AppliedRecord) bool { return true })
}

// TestWritesAreBounded changes a value many times: the key is written about once a second,
// and has the last state.
func TestWritesAreBounded(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	configured(t, NewSource(WithAddress(e.Addr()), Instance(source.Instance{Service: "shop", Node: "n"})))
	first := says(t, c, "", "shop", "it is said", func(layout.AppliedRecord) bool { return true })
	begun, last := time.Now(), int64(0)
	for i := range 300 {
		last = putAt(t, c, "/micro/config/n", fmt.Sprint(i))
	}
	says(t, c, "", "shop", "the last state is said", func(r layout.AppliedRecord) bool { return r.Revision == last })
	took := time.Since(begun)
	got, err := c.Get(t.Context(), layout.Layout{}.Applied("shop", "n", first.View))
	if err != nil {
		t.Fatal(err)
	}
	if writes := got.Kvs[0].Version - 1; float64(writes) > took.Seconds()+2 {
		t.Errorf("it was written %d times in %v", writes, took)
	}
}

// TestTheConnectionOfARegistry checks that it is used, with the lease of the node, and that
// what is said moves to the next one.
func TestTheConnectionOfARegistry(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	r := etcd.NewRegistry(registry.Addrs(e.Addr()))
	t.Cleanup(func() { _ = r.(io.Closer).Close() })
	configured(t, NewSource(Registry(r), Instance(source.Instance{Service: "shop", Node: "n"})))
	says(t, c, "", "shop", "it is said", func(layout.AppliedRecord) bool { return true })
	if leases, err := c.Leases(t.Context()); err != nil || len(leases.Leases) != 1 {
		t.Errorf("leases %v, %v", leases, err)
	}
	if err := r.Init(registry.Timeout(4 * time.Second)); err != nil {
		t.Fatal(err)
	}
	at := putAt(t, c, "/micro/config/a", "1")
	says(t, c, "", "shop", "it is said over the next connection", func(r layout.AppliedRecord) bool { return r.Revision >= at })
}

func TestWhatIsSaidHeals(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	configured(t, NewSource(WithAddress(e.Addr()), Instance(source.Instance{Service: "shop", Node: "n"})))
	says(t, e.Client(t), "", "shop", "it is said", func(layout.AppliedRecord) bool { return true })
	e.Kill()
	e.Wipe()
	e.Restart(t)
	c := e.Client(t)
	at := putAt(t, c, "/micro/config/a", "1")
	says(t, c, "", "shop", "it is said to an etcd that lost everything", func(r layout.AppliedRecord) bool {
		return r.Revision >= at && r.Checksum == sumOf("/micro/config/a", "1") && r.Stale == ""
	})
	if _, err := c.Delete(t.Context(), layout.Layout{}.ConfigApplied(), clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	says(t, c, "", "shop", "it is said again after somebody deleted it", func(layout.AppliedRecord) bool { return true })
}

// logged is what the log says.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// TestWithoutTheRightToSay costs a line of the log, and etcd nothing after the first
// attempts.
func TestWithoutTheRightToSay(t *testing.T) {
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "operator", "secret")
	e.AddUser(t, "reader", "secret", testkit.Right{Prefix: "/micro/config/", Read: true})
	c := e.Client(t)
	lines := &logged{}
	if err := logger.Init(logger.WithOutput(lines)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = logger.Init(logger.WithOutput(os.Stdout)) })
	conf := configured(t, NewSource(WithAddress(e.Addr()), Auth("reader", "secret"), Instance(source.Instance{Service: "shop", Node: "n"})))
	const line = "`micro config status` does not show this instance"
	testkit.Eventually(t, patience, "the log says it", func() bool { return lines.count(line) == 1 })
	requests := func() int {
		return e.Metric(t, `grpc_server_handled_total{grpc_code="PermissionDenied"`)
	}
	// The line comes before the last of the attempts has ended.
	before := -1
	testkit.Passes(t, patience, "etcd is asked no more", func() error {
		was := before
		if before = requests(); before != was {
			testkit.Elapse(t, time.Second)
			return fmt.Errorf("it refused %d requests, and then %d", was, before)
		}
		return nil
	})
	at := putAt(t, c, "/micro/config/a", "1")
	testkit.Eventually(t, patience, "the configuration is followed", func() bool { return conf.Get("micro", "config", "a").Int(0) == 1 })
	testkit.Elapse(t, 3*time.Second) // nothing can be waited for: nothing is to be asked
	if after := requests(); after != before {
		t.Errorf("etcd refused %d requests, and then %d more", before, after-before)
	}
	if lines.count(line) != 1 {
		t.Errorf("the log says it %d times", lines.count(line))
	}
	if len(said(t, c, "", "shop")) != 0 {
		t.Errorf("after revision %d something is said", at)
	}
}
