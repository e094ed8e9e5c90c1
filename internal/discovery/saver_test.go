package discovery

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/disk"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

func onDisk(t *testing.T) *disk.Store {
	return &disk.Store{Dir: t.TempDir(), Registry: "test", MaxAge: time.Hour}
}

func savedNodes(ids string) disk.Saved {
	return disk.Saved{Services: viewOf("a", ids, "").Services, Confirmed: time.Now().Add(-time.Minute)}
}

func TestASilentRegistryIsReplacedByTheDisk(t *testing.T) {
	store := onDisk(t)
	run(t, Options{Disk: store}, func(t *testing.T, s *source, d *Directory) {
		if err := store.Save("a", savedNodes("1 2")); err != nil {
			t.Fatal(err)
		}
		d.Lookup("a")
		synctest.Wait()
		if got := d.Lookup("a"); got.Known {
			t.Fatalf("the disk did not wait for the registry: %+v", got)
		}
		pass(diskPatience)
		synctest.Wait()
		got := d.Lookup("a")
		if !got.Known || got.Origin != Disk || len(got.Nodes) != 2 || got.Age(time.Now()) != time.Minute+diskPatience {
			t.Fatalf("got %+v, age %s", got, got.Age(time.Now()))
		}
	})
}

func TestARegistryOutOfReachIsReplacedAtOnce(t *testing.T) {
	store := onDisk(t)
	run(t, Options{Disk: store}, func(t *testing.T, s *source, d *Directory) {
		if err := store.Save("a", savedNodes("1 2")); err != nil {
			t.Fatal(err)
		}
		d.Lookup("a")
		away := errors.New("away")
		s.sink("a").Status(down(away))
		synctest.Wait()
		if got := d.Lookup("a"); got.Origin != Disk || got.Err != away {
			t.Fatalf("got %+v", got)
		}

		// The answer counts; what it misses was not seen to go.
		s.sink("a").Status(live())
		if got := d.Lookup("a"); got.Origin != Disk {
			t.Fatalf("connected, but nothing was answered: %+v", got)
		}
		s.sink("a").Update(viewOf("a", "2 3", ""))
		got := d.Lookup("a")
		if got.Origin != Live || len(got.Nodes) != 2 || len(got.Suspects) != 1 || got.Suspects[0].Id != "1" {
			t.Fatalf("got %+v", got)
		}
		d.Failed("1:1")
		if got := d.Lookup("a"); len(got.Suspects) != 0 {
			t.Fatalf("a suspect that failed stays: %+v", got)
		}
	})
}

// Who is refused goes by the disk as well, if there is something on it.
func TestARefusalDoesNotHideTheDisk(t *testing.T) {
	store := onDisk(t)
	run(t, Options{Disk: store}, func(t *testing.T, s *source, d *Directory) {
		if err := store.Save("a", savedNodes("1 2")); err != nil {
			t.Fatal(err)
		}
		refused := down(refusal.Mark(refusal.Login, errors.New("wrong password")))
		for name, known := range map[string]bool{"a": true, "b": false} {
			d.Lookup(name)
			s.sink(name).Status(refused)
			begun := time.Now()
			got, err := d.Wait(t.Context(), name)
			if (err == nil) != known || got.Known != known || time.Since(begun) != 0 {
				t.Errorf("%q: %+v after %v, %v", name, got, time.Since(begun), err)
			}
		}
	})
}

func TestTheRegistryGoesBeforeTheDisk(t *testing.T) {
	store := onDisk(t)
	run(t, Options{Disk: store}, func(t *testing.T, s *source, d *Directory) {
		if err := store.Save("a", savedNodes("1 2")); err != nil {
			t.Fatal(err)
		}
		d.Lookup("a")
		s.sink("a").Update(viewOf("a", "", ""))
		pass(2 * diskPatience)
		synctest.Wait()
		if got := d.Lookup("a"); got.Origin != Live || len(got.Nodes)+len(got.Suspects) != 0 {
			t.Fatalf("got %+v", got)
		}
	})
}

func TestWhatIsKnownIsKept(t *testing.T) {
	store := onDisk(t)
	run(t, Options{Disk: store}, func(t *testing.T, s *source, d *Directory) {
		saved := func() (ids []string) {
			data, err := store.Load("a", time.Now())
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			for _, n := range nodesOf(data.Services) {
				ids = append(ids, n.Id)
			}
			return ids
		}
		d.Lookup("a")
		s.sink("a").Update(viewOf("a", "", ""))
		pass(2 * saveDelay)
		synctest.Wait()
		if _, err := os.Stat(store.Path("a")); err == nil {
			t.Error("a name that nobody ever had was written")
		}
		s.sink("a").Update(viewOf("a", "1 2", ""))
		pass(2 * saveDelay)
		synctest.Wait()
		if got := strings.Join(saved(), " "); got != "1 2" {
			t.Errorf("saved %q", got)
		}
		// It is confirmed for as long as the registry is there.
		pass(2 * time.Hour)
		d.Lookup("a")
		if data, err := store.Load("a", time.Now()); err == nil && time.Since(data.Confirmed) > 12*time.Minute {
			t.Errorf("confirmed %s ago", time.Since(data.Confirmed))
		}
		s.sink("a").Update(viewOf("a", "1 2 3", ""))
		d.Close() // at once, without waiting for the delay
		if got := strings.Join(saved(), " "); got != "1 2 3" {
			t.Errorf("saved %q at the end", got)
		}
	})
}

func TestADamagedFileIsNotUsed(t *testing.T) {
	store := onDisk(t)
	if err := os.WriteFile(store.Path("a"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, Options{Disk: store}, func(t *testing.T, s *source, d *Directory) {
		d.Lookup("a")
		s.sink("a").Status(down(errors.New("away")))
		synctest.Wait()
		if got := d.Lookup("a"); got.Known {
			t.Errorf("got %+v", got)
		}
	})
}

func TestDiskOf(t *testing.T) {
	if DiskOf(options{}) != nil {
		t.Error("a registry without the option is kept")
	}
	got := DiskOf(options{o: registry.Options{Snapshot: "d", Addrs: []string{"b:1", "a:1"}}})
	if got == nil || got.Dir != "d" || got.Registry != "at a:1,b:1" || got.MaxAge <= 0 {
		t.Errorf("got %+v", got)
	}
}

// options is a registry of which only the options count.
type options struct {
	registry.Registry
	o registry.Options
}

func (o options) Options() registry.Options { return o.o }
func (o options) String() string            { return "test" }

// What happens with the disk is said once for each thing.
func TestTheDiskIsSpokenOf(t *testing.T) {
	var out bytes.Buffer
	before := logger.DefaultLogger
	logger.DefaultLogger = logger.NewLogger(logger.WithOutput(&out))
	defer func() { logger.DefaultLogger = before }()
	store := onDisk(t)
	if err := os.WriteFile(store.Path("bad"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, Options{Disk: store}, func(t *testing.T, s *source, d *Directory) {
		if err := store.Save("a", savedNodes("1 2")); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "bad"} {
			d.Lookup(name)
			for range 3 {
				s.sink(name).Status(down(errors.New("connection refused")))
				synctest.Wait()
			}
		}
	})
	for _, want := range []string{
		"Discovery [a] The registry does not answer (connection refused); calls go by what was known 1m0s ago",
		"Discovery [bad] What was known is not used",
		"it is not a file of services",
	} {
		if n := strings.Count(out.String(), want); n != 1 {
			t.Errorf("%q is said %d times:\n%s", want, n, out.String())
		}
	}
}
