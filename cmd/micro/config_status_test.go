package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

// small refuses what is above a hundred.
type small struct{ Max int }

func (s *small) Validate() error {
	if s.Max > 100 {
		return errors.New("no more than a hundred")
	}
	return nil
}

func TestConfigStatus(t *testing.T) {
	server := testkit.StartEtcd(t)
	at := "--registry_address=" + server.Addr()
	start := func(node string) config.Config {
		c, err := config.NewConfig(config.WithSource(etcd.NewSource(etcd.WithAddress(server.Addr()), etcd.StripPrefix(true),
			etcd.Instance(source.Instance{Service: "shop", Node: node}))))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	wants := func(code int, args ...string) (stdout, stderr string) {
		t.Helper()
		got, stdout, stderr := micro(t, append([]string{"config"}, append(args, at)...)...)
		if got != code {
			t.Fatalf("%q: exit code %d: %s%s", args, got, stdout, stderr)
		}
		return stdout, stderr
	}
	wants(exitOK, "set", "limits", `{"max":1}`)
	start("n1")
	limits, err := config.Bind[small](start("n2"), "limits")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = limits.Close() })
	testkit.Passes(t, 20*time.Second, "both are current", func() error {
		if out, _ := wants(exitOK, "status"); !strings.Contains(out, "2 instances: 2 current\n") {
			return errors.New(out)
		}
		return nil
	})
	if out, _ := wants(exitOK, "set", "limits", `{"max":2}`, "--wait"); !strings.Contains(out, "2 instances: all have it, after ") {
		t.Errorf("got %s", out)
	}
	// Who refuses is named, with path and reason.
	out, errs := wants(exitFailed, "set", "limits", `{"max":1000}`, "--wait", "-o", "json")
	var made struct {
		Release   int64
		Instances struct{ Have, Refused, Waiting []center.Instance }
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Release != 3 || len(made.Instances.Have) != 1 || len(made.Instances.Refused) != 1 {
		t.Errorf("%v: %s", err, out)
	}
	if !strings.Contains(errs, "wait for release 3: 1 of 2 refuses it: n2 (limits: ") || !strings.Contains(errs, "no more than a hundred") {
		t.Errorf("it says %s", errs)
	}
	if out, _ := wants(exitOK, "status", "--service", "shop"); !strings.Contains(out, "2 instances: 1 current, 1 refusing\n") {
		t.Errorf("got %s", out)
	}
	if code, out, _ := micro(t, "doctor", at); code != exitOK || !strings.Contains(out, "node n2 of shop: it refuses a value and stays at the last good one: limits: ") || !strings.Contains(out, "[config.refusing]") {
		t.Errorf("the doctor says %d: %s", code, out)
	}
	if out, _ := wants(exitOK, "rollback", "2", "--wait"); !strings.Contains(out, "2 instances: all have it") {
		t.Errorf("got %s", out)
	}

	// A deadline names who is behind.
	entered, leave := make(chan struct{}), make(chan struct{})
	limits.OnChange(func(_, _ *small) {
		select {
		case <-entered:
		default:
			close(entered)
			<-leave
		}
	})
	_, errs = wants(exitFailed, "set", "limits", `{"max":3}`, "--wait", "--timeout", "2s")
	close(leave)
	if !strings.Contains(errs, "1 of 2 does not have it: n2 (at revision ") {
		t.Errorf("it says %s", errs)
	}
	<-entered

	// What strangers write does not reach the terminal as it is.
	if _, err := server.Client(t).Put(t.Context(), "/micro/rollcall/config/applied/shop/\x1b[2J/v", "\x1b]0;owned\x07"); err != nil {
		t.Fatal(err)
	}
	out, errs = wants(exitOK, "status", "--wait")
	if strings.ContainsAny(out+errs, "\x1b\x07") || !strings.Contains(errs, "1 record below the keys of instances") {
		t.Errorf("got %q, %q", out, errs)
	}
}
