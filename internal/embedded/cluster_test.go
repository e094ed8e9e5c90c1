package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// three returns the Configs of a cluster on free ports of this machine.
func three(t *testing.T, scheme string) []Config {
	t.Helper()
	names := []string{"a", "b", "c"}
	entries := make([]string, len(names))
	for i, name := range names {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		entries[i] = fmt.Sprintf("%s=%s://%s", name, scheme, l.Addr())
	}
	configs := make([]Config, len(names))
	for i, name := range names {
		configs[i] = fast(t)
		configs[i].Name = name
		configs[i].InitialCluster = strings.Join(entries, ",")
	}
	return configs
}

// startAll starts all members side by side, as each waits for the others. They are
// stopped at the end of the test at the latest.
func startAll(t *testing.T, configs []Config) (servers []*Server, stop func()) {
	t.Helper()
	ctx := within(t, time.Minute)
	servers, errs := make([]*Server, len(configs)), make([]error, len(configs))
	var all sync.WaitGroup
	for i, cfg := range configs {
		all.Go(func() { servers[i], errs[i] = Start(ctx, cfg) })
	}
	all.Wait()
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		for i, s := range servers {
			if s == nil {
				continue
			}
			all.Go(func() { errs[i] = s.Stop(ctx) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return servers, stop
}

func TestThreeMembersWithTLS(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	configs := three(t, "https")
	for i := range configs {
		own := ca.Server(t)
		configs[i].PeerCertFile, configs[i].PeerKeyFile, configs[i].PeerCAFile = own.CertFile, own.KeyFile, ca.File
	}
	servers, _ := startAll(t, configs)
	if _, err := connect(t, servers[0].Addr(), nil).Put(within(t, 20*time.Second), "a", "1"); err != nil {
		t.Fatal(err)
	}
	r, err := connect(t, servers[2].Addr(), nil).Get(within(t, 20*time.Second), "a")
	if err != nil || r.Count != 1 {
		t.Fatalf("another member answered %v, %v", r, err)
	}
}

// TestMemberWaits starts one of three, which says for whom it waits and ends when
// it is told to.
func TestMemberWaits(t *testing.T) {
	t.Parallel()
	cfg := three(t, "http")[0]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var missing []string
	cfg.Waiting = func(unreachable []string) {
		missing = unreachable
		cancel()
	}
	begin := time.Now()
	if s, err := Start(ctx, cfg); err == nil {
		_ = s.Stop(t.Context())
		t.Fatal("a member started without a leader")
	} else if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if len(missing) != 2 || !strings.HasPrefix(missing[0], "b at http://127.0.0.1:") || !strings.HasSuffix(missing[1], "(connection refused)") {
		t.Errorf("it waits for %q", missing)
	}
	if d := time.Since(begin); d > waitingAfter+5*time.Second {
		t.Errorf("it ended after %v", d)
	}
}

func TestBadCluster(t *testing.T) {
	const good = "a=http://127.0.0.1:12380,b=http://127.0.0.1:12381"
	for name, tt := range map[string]struct {
		cfg   Config
		field string
		says  string
	}{
		"no name=url":             {Config{InitialCluster: "a"}, "InitialCluster", `"a" is no name=url`},
		"an empty entry":          {Config{InitialCluster: good + ","}, "InitialCluster", `"" is no name=url`},
		"no URL":                  {Config{InitialCluster: "a=127.0.0.1:1"}, "InitialCluster", "no URL of a peer"},
		"no port":                 {Config{InitialCluster: "a=http://127.0.0.1"}, "InitialCluster", "no URL of a peer"},
		"a path":                  {Config{InitialCluster: "a=http://127.0.0.1:1/x"}, "InitialCluster", "more than a scheme"},
		"a name twice":            {Config{InitialCluster: "a=http://127.0.0.1:1,a=http://127.0.0.1:2"}, "InitialCluster", `"a" is there twice`},
		"a URL twice":             {Config{InitialCluster: "a=http://127.0.0.1:1,b=http://127.0.0.1:1"}, "InitialCluster", `"a" and "b" are both at`},
		"two schemes":             {Config{InitialCluster: "a=http://127.0.0.1:1,b=https://127.0.0.1:2"}, "InitialCluster", "choose one"},
		"own name not in it":      {Config{InitialCluster: good}, "Name", "choose one of a, b"},
		"listens elsewhere":       {Config{Name: "a", InitialCluster: good, PeerAddress: "127.0.0.1:9"}, "PeerAddress", "a at http://127.0.0.1:12380"},
		"advertises another":      {Config{Name: "a", InitialCluster: good, PeerAdvertiseAddress: "127.0.0.1:9"}, "PeerAdvertiseAddress", "make both the same"},
		"unknown state":           {Config{Name: "a", InitialCluster: good, InitialClusterState: "old"}, "InitialClusterState", "new or existing"},
		"existing, no cluster":    {Config{InitialClusterState: ExistingCluster}, "InitialClusterState", "initial cluster as well"},
		"a certificate alone":     {Config{Name: "a", InitialCluster: good, PeerCertFile: "cert.pem"}, "PeerCertFile", "all three or none"},
		"https, no certificate":   {Config{Name: "a", InitialCluster: "a=https://127.0.0.1:1"}, "PeerCertFile", "need a certificate"},
		"advertises, no listener": {Config{PeerAdvertiseAddress: "127.0.0.1:9"}, "PeerAdvertiseAddress", "address to serve"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.cfg.DataDir = filepath.Join(t.TempDir(), "etcd")
			tt.cfg.Address = "127.0.0.1:0"
			var bad *ConfigError
			if err := refused(t, tt.cfg); !errors.As(err, &bad) || bad.Field != tt.field || !strings.Contains(bad.Reason, tt.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestDataOfAnotherMember starts on directories that belong elsewhere. They are left
// as they are: in the end the right members start.
func TestDataOfAnotherMember(t *testing.T) {
	t.Parallel()
	configs := three(t, "http")
	_, stop := startAll(t, configs)
	stop()

	own := configs[0]
	for says, spoil := range map[string]func(*Config){
		"belongs to another cluster, of a at http://127.0.0.1:": func(c *Config) { c.InitialCluster = three(t, "http")[0].InitialCluster },
		"another member of this cluster":                        func(c *Config) { c.Name = "b" },
		"give the initial cluster":                              func(c *Config) { c.InitialCluster = "" },
	} {
		cfg := own
		spoil(&cfg)
		if err := refused(t, cfg); !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q", err, says)
		}
	}
	startAll(t, configs)
}
