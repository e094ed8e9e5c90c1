package mdns

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/mdns"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// on makes a registry use a transport.
func on(open func() (mdns.Transport, error)) registry.Option {
	return func(o *registry.Options) {
		o.Context = settings.With(o.Context, mdnsSettings{open: open})
	}
}

// silence is a transport on which nobody is heard.
type silence struct {
	packets chan mdns.Packet
	changes chan error
}

func newSilence() *silence { return &silence{make(chan mdns.Packet), make(chan error)} }

func (s *silence) Ask([]byte)                        {}
func (s *silence) Announce([]byte)                   {}
func (s *silence) Reply([]byte, netip.AddrPort, int) {}
func (s *silence) Packets() <-chan mdns.Packet       { return s.packets }
func (s *silence) Changes() <-chan error             { return s.changes }
func (s *silence) Dropped() uint64                   { return 0 }
func (s *silence) Close() error                      { return nil }

func TestObserveRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSilence()
		b := open(t, on(func() (mdns.Transport, error) { return net, nil }))
		var seen []string
		stop := b.ObserveRegistration("s", "n", func(s ability.Status) {
			seen = append(seen, s.State.String())
			if s.Err != nil && !errors.Is(s.Err, mdns.ErrNoMulticast) {
				t.Errorf("got error %v", s.Err)
			}
		})
		synctest.Wait()
		if err := b.Register(one("s", "n")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, change := range []error{fmt.Errorf("unplugged: %w", mdns.ErrNoMulticast), nil} {
			net.changes <- change
			synctest.Wait()
		}
		if err := b.Deregister(one("s", "n")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		stop()
		if got := strings.Join(seen, " "); got != "absent held absent held released" {
			t.Errorf("observed %s", got)
		}
		stop = b.ObserveRegistration("s", "n", func(ability.Status) {})
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		stop()
	})
}

// states is a feed.Sink that keeps what it is told of the connection.
type states struct{ seen []string }

func (s *states) Update(u feed.Update) {
	s.seen = append(s.seen, fmt.Sprint("view of ", len(u.Services)))
}
func (s *states) Status(u feed.Status) { s.seen = append(s.seen, fmt.Sprint("live ", u.Live)) }

// A follower hears when the last interface goes, and goes on.
func TestFollowSaysWhenNobodyIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSilence()
		var works atomic.Bool
		b := open(t, on(func() (mdns.Transport, error) {
			if !works.Load() {
				return nil, mdns.ErrNoMulticast
			}
			return net, nil
		}))
		var s states
		ended := make(chan error)
		go func() { ended <- b.Follow(t.Context(), "s", &s) }()
		synctest.Wait()
		works.Store(true)
		testkit.Elapse(t, time.Minute)
		net.changes <- mdns.ErrNoMulticast
		synctest.Wait()
		net.changes <- nil
		synctest.Wait()
		if want := []string{"live false", "view of 0", "live true", "live false", "live true"}; !slices.Equal(s.seen, want) {
			t.Errorf("told %q, want %q", s.seen, want)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, registry.ErrClosed) {
			t.Errorf("Follow: %v", err)
		}
	})
}

func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, on(func() (mdns.Transport, error) { return newSilence(), nil }))
		for _, name := range []string{"t", "s"} {
			if err := b.Register(one(name, "n")); err != nil {
				t.Fatal(err)
			}
		}
		if names, err := b.Names(t.Context()); err != nil || !slices.Equal(names, []string{"s", "t"}) {
			t.Errorf("%q, %v", names, err)
		}
	})
}

func TestOptionsThatCanNeverWork(t *testing.T) {
	v2 := func(o *registry.Options) { Domain("elsewhere.")(o) }
	for _, tc := range []struct {
		opts []registry.Option
		init registry.Option
		want string
	}{
		{[]registry.Option{registry.Addrs("10.0.0.1:2379")}, nil, `addresses ["10.0.0.1:2379"]: the mdns registry has no server`},
		{[]registry.Option{Domain(strings.Repeat("a", 64))}, nil, "at most 63"},
		{[]registry.Option{Domain("a..b")}, nil, `domain "a..b"`},
		{nil, v2, `domain "elsewhere": this mdns registry is in domain "micro" already`},
		{[]registry.Option{v2}, v2, ""},
		{nil, Domain(""), ""},
	} {
		b := open(t, tc.opts...)
		if tc.init != nil {
			_ = b.Init(tc.init)
		}
		_, err := b.GetService("..")
		if err == nil {
			t.Error("a name that can never be is looked up")
		}
		if tc.want == "" {
			if err := b.Err(); err != nil {
				t.Error(err)
			}
			continue
		}
		for what, err := range map[string]error{
			"Err": b.Err(), "Register": b.Register(one("s", "n")), "Follow": b.Follow(t.Context(), "s", &states{}),
		} {
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got error %v, want one with %q", what, err, tc.want)
			}
		}
	}
}
