package center

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source"
	conf "github.com/rollcall-go/micro/config/source/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
)

// instance runs the configuration of an instance of a service, until the test ends.
func instance(t testing.TB, addr, namespace, service, node string, opts ...source.Option) config.Config {
	t.Helper()
	opts = append([]source.Option{
		conf.WithAddress(addr), conf.Namespace(namespace), conf.StripPrefix(true),
		conf.Instance(source.Instance{Service: service, Node: node, Host: "host-of-" + node}),
	}, opts...)
	c, err := config.NewConfig(config.WithSource(conf.NewSource(opts...)))
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

// states waits until the instances of a service are in these states, as in "n1 current", and
// returns them.
func states(t testing.TB, c *Center, service string, want ...string) []Instance {
	t.Helper()
	var s Status
	var got []string
	testkit.Passes(t, patience, "who runs what", func() (err error) {
		if s, err = c.Status(t.Context(), service); err != nil {
			return err
		}
		got = nil
		for _, i := range s.Instances {
			got = append(got, fmt.Sprintf("%s %s", i.Node, i.State))
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("%q, want %q", got, want)
		}
		return nil
	})
	return s.Instances
}

// taken waits for a release.
func taken(t testing.TB, c *Center, r Release) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return c.Wait(ctx, r, nil)
}

type limits struct{ Max int }

func (l *limits) Validate() error {
	if l.Max > 100 {
		return errors.New("no more than a hundred")
	}
	return nil
}

func TestWhoRunsWhat(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c, other := open(t, e.Addr(), "mine"), open(t, e.Addr(), "other")
	if err := taken(t, c, release(t, c, Put("limits", `{"max":1}`), Put("_service/shop/a", `1`))); err != nil {
		t.Errorf("of nobody: %v", err)
	}
	one := instance(t, e.Addr(), "mine", "shop", "n1")
	two := instance(t, e.Addr(), "mine", "shop", "n2")
	layered := instance(t, e.Addr(), "mine", "till", "n3", conf.Layers("till", ""))
	instance(t, e.Addr(), "mine", "till", "n4", conf.WithPrefix("/else/"))
	instance(t, e.Addr(), "other", "shop", "n9")
	states(t, c, "", "n1 current", "n2 current", "n3 current", "n4 current")
	states(t, c, "shop", "n1 current", "n2 current")
	states(t, other, "", "n9 current")

	// A key that n3 and n4 do not read.
	if err := taken(t, c, release(t, c, Put("_service/shop/a", `2`))); err != nil {
		t.Error(err)
	}
	if one.Get("_service", "shop", "a").Int(0) != 2 {
		t.Error("it was said to be there, and is not")
	}

	// A part that refuses, and says why.
	b, err := config.Bind[limits](two, "limits")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := release(t, c, Put("limits", `{"max":1000}`))
	err = taken(t, c, r)
	refused, ok := errors.AsType[*WaitError](err)
	if !ok || len(refused.Have) != 2 || len(refused.Refused) != 1 || len(refused.Waiting) != 0 || refused.Err != nil || !strings.Contains(err.Error(), "1 of 3 refuses it: n2 (limits: ") || !strings.Contains(err.Error(), "no more than a hundred") {
		t.Fatalf("%+v, %v", refused, err)
	}
	if layered.Get("limits", "max").Int(0) != 1000 {
		t.Error("it was said to be there, and is not")
	}
	states(t, c, "shop", "n1 current", "n2 refusing")
	if err := taken(t, c, release(t, c, Put("elsewhere", `1`))); err != nil {
		t.Errorf("an earlier refusal, of another key, counts: %v", err)
	}
	if err := c.WaitAll(t.Context(), "till", nil); err != nil {
		t.Error(err)
	}
	if err := c.WaitAll(t.Context(), "shop", nil); !errors.As(err, new(*WaitError)) {
		t.Errorf("of who refuses: %v", err)
	}

	// A value that somebody broke past the Center.
	past(t, e.Client(t), "/mine/micro/config/limits", `{"max":`)
	for _, i := range states(t, c, "", "n1 refusing", "n2 refusing", "n3 refusing", "n4 current") {
		if i.Node == "n1" && (len(i.Refused) != 1 || i.Refused[0].Where() != "/mine/micro/config/limits" || !strings.Contains(i.Refused[0].Reason, "line 1")) {
			t.Errorf("it refuses %+v", i.Refused)
		}
	}
	if err := taken(t, c, release(t, c, Put("limits", `{"max":9}`))); err != nil {
		t.Error(err)
	}
	if err := taken(t, c, release(t, c, Delete("elsewhere"))); err != nil {
		t.Errorf("a deletion: %v", err)
	}
	states(t, c, "", "n1 current", "n2 current", "n3 current", "n4 current")

	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	states(t, c, "shop", "n2 current")
}

// TestWhoHasAGray checks that gray values show, and that who does not have them is not
// waited for in vain.
func TestWhoHasAGray(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, e.Addr(), "")
	release(t, c, Put("limits", `{"max":1}`))
	one, two := instance(t, e.Addr(), "", "shop", "n1"), instance(t, e.Addr(), "", "shop", "n2")
	instance(t, e.Addr(), "", "till", "n3", conf.WithPrefix("/micro/config/other/"))
	text := `{"match":{"nodes":["n1"]},"values":{"limits":"{\"max\":2}"}}`
	if err := taken(t, c, release(t, c, Edit{Kind: KindGray, Key: "canary", Value: &text})); err != nil {
		t.Fatal(err)
	}
	if a, b := one.Get("limits", "max").Int(0), two.Get("limits", "max").Int(0); a != 2 || b != 1 {
		t.Errorf("n1 has %d, n2 %d", a, b)
	}
	got := states(t, c, "", "n1 gray", "n2 current", "n3 current")
	if !slices.Equal(got[0].Grays, []string{"canary"}) || got[0].Checksum == got[1].Checksum {
		t.Errorf("got %+v", got)
	}
	if err := taken(t, c, release(t, c, Edit{Kind: KindGray, Key: "canary"})); err != nil {
		t.Fatal(err)
	}
	states(t, c, "", "n1 current", "n2 current", "n3 current")
}

// TestWaitIsPatient checks what happens while it waits: an instance that cannot follow, one
// that comes, one that goes.
func TestWaitIsPatient(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, e.Addr(), "")
	release(t, c, Put("a", "1"))
	instance(t, e.Addr(), "", "shop", "n1")
	busy := instance(t, e.Addr(), "", "shop", "n2")
	b, err := config.Bind[int](busy, "a")
	if err != nil {
		t.Fatal(err)
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	b.OnChange(func(_, _ *int) { close(entered); <-leave })
	states(t, c, "", "n1 current", "n2 current")

	r := release(t, c, Put("a", "2"))
	<-entered
	var mu sync.Mutex
	var last Progress
	waiting := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		waiting <- c.Wait(ctx, r, func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			last = p
		})
	}()
	is := func(have, wait int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(last.Have) == have && len(last.Waiting) == wait
		}
	}
	testkit.Eventually(t, patience, "one has it and the busy one not", is(1, 1))
	instance(t, e.Addr(), "", "shop", "n3")
	testkit.Eventually(t, patience, "one that comes has it", is(2, 1))
	select {
	case err := <-waiting:
		t.Fatalf("it ended: %v", err)
	default:
	}
	// A deadline names who is behind.
	short, end := context.WithTimeout(t.Context(), 4*time.Second)
	defer end()
	err = c.Wait(short, r, nil)
	if late, ok := errors.AsType[*WaitError](err); !ok || !errors.Is(err, context.DeadlineExceeded) || len(late.Waiting) != 1 || late.Waiting[0].Node != "n2" || !strings.Contains(err.Error(), "1 of 3 does not have it: n2 (at revision ") {
		t.Errorf("at the deadline: %v", err)
	}
	// The busy one goes, by its own will.
	if err := busy.(source.Leaver).Leave(ctx); err != nil {
		t.Fatal(err)
	}
	err = <-waiting
	if gone, ok := errors.AsType[*WaitError](err); !ok || gone.Err != nil || len(gone.Gone) != 1 || len(gone.Have) != 2 ||
		!strings.Contains(err.Error(), "1 of 3 went before it had it, stopped or with its lease run out: n2 (at revision ") {
		t.Errorf("once it is gone: %v", err)
	}
	if err := taken(t, c, r); err != nil {
		t.Errorf("who is not there when it begins is not waited for: %v", err)
	}
	close(leave)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestRecordsOfOthers puts what no instance writes where instances write.
func TestRecordsOfOthers(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, e.Addr(), "")
	client := e.Client(t)
	r := release(t, c, Put("a", "1"))
	instance(t, e.Addr(), "", "shop", "n1")
	states(t, c, "", "n1 current")
	l := layout.Layout{}
	hostile := map[string]string{
		l.Applied("shop", "text", "v"):             "hello",
		l.Applied("shop", "null", "v"):             "null",
		l.Applied("shop", "large", "v"):            strings.Repeat("x", 1<<20),
		l.Applied("shop", "stranger", "v"):         `{"service":"shop","node":"n1","view":"v","revision":9999999}`,
		l.Applied("shop", "\x1b]0;owned\x07", "v"): `{"service":"shop","node":"\u001b]0;owned\u0007","view":"v"}`,
		l.Applied("shop", "host", "v"):             `{"service":"shop","node":"host","view":"v","host":"\u001b[2J"}`,
		l.Applied("shop", "past", "v"):             `{"service":"shop","node":"past","view":"v","revision":-1}`,
		l.Applied("shop", "typed", "v"):            `{"service":["shop"],"node":1}`,
		l.Applied("shop", "deep", "v"):             strings.Repeat("[", 30_000),
		l.ConfigApplied() + "no/view":              "{}",
		l.ConfigApplied() + "\xff\xfe":             "\xff",
		l.ConfigApplied():                          "{}",
		l.Applied("shop", "reads", "v"):            `{"service":"shop","node":"reads","view":"v","reads":{"prefix":["a"]}}`,
		l.Applied("shop", "many", "v"):             `{"service":"shop","node":"many","view":"v","refused":[` + strings.Repeat(`{"reason":"x"},`, 2000) + `{}]}`,
	}
	for key, value := range hostile {
		past(t, client, key, value)
	}
	s, err := c.Status(t.Context(), "")
	if err != nil || len(s.Instances) != 1 || len(s.Unread) != len(hostile) {
		t.Fatalf("%d instances, %d of %d records are refused: %q, %v", len(s.Instances), len(s.Unread), len(hostile), s.Unread, err)
	}
	for _, why := range s.Unread {
		if len(why) > 1000 || strings.ContainsAny(why, "\x1b\x07") || !utf8.ValidString(why) {
			t.Errorf("it says %q", why)
		}
	}
	if err := taken(t, c, r); err != nil {
		t.Error(err)
	}
}

func TestStatusWithoutTheRight(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "operator", "secret")
	e.AddUser(t, "reader", "secret", testkit.Right{Prefix: "/micro/config/", Read: true})
	operator := openAs(t, e, "", "operator", "secret")
	r := release(t, operator, Put("a", "1"))
	c := openAs(t, e, "", "reader", "secret")
	const needs = "it takes the right to read /micro/rollcall/config/applied/"
	if _, err := c.Status(t.Context(), ""); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), needs) {
		t.Errorf("it sees who runs what: %v", err)
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Wait(ctx, r, nil); err == nil || ctx.Err() != nil {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}

// TestStatusOfAPart: who has one part of the tree sees who runs what, and is not told what he
// cannot know.
func TestStatusOfAPart(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "operator", "secret")
	root := openAs(t, e, "", testkit.Root, testkit.Root)
	release(t, root, Put("shop/limits", `{"max":1}`), Put("other", "1"))
	for user, g := range map[string]Grant{"part": {User: "part", Path: "shop", Write: true}, "reader": {User: "reader"}} {
		if _, err := root.Grant(t.Context(), g, "secret", false); err != nil {
			t.Fatalf("%s: %v", user, err)
		}
	}
	login := conf.Auth("operator", "secret")
	instance(t, e.Addr(), "", "shop", "n1", login)
	two := instance(t, e.Addr(), "", "shop", "n2", login)
	instance(t, e.Addr(), "", "shop", "n3", login, conf.WithPrefix("/micro/config/shop"))
	states(t, openAs(t, e, "", "reader", "secret"), "", "n1 current", "n2 current", "n3 current")
	b, err := config.Bind[limits](two, "shop", "limits")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()

	part := openAs(t, e, "", "part", "secret")
	states(t, part, "", "n1 unknown", "n2 unknown", "n3 current")
	s, err := part.Status(t.Context(), "shop")
	if err != nil || !slices.Equal(s.Hidden, []string{"values"}) || s.Release != 1 {
		t.Errorf("%v: %+v", err, s)
	}
	err = taken(t, part, release(t, part, Put("shop/limits", `{"max":1000}`)))
	if refused, ok := errors.AsType[*WaitError](err); !ok || len(refused.Have) != 2 || len(refused.Refused) != 1 {
		t.Errorf("it waits for what it released: %v", err)
	}
	states(t, part, "", "n1 unknown", "n2 refusing", "n3 current")
	if err := part.WaitAll(t.Context(), "", nil); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "takes the right to read all of it") {
		t.Error(err)
	}
}
