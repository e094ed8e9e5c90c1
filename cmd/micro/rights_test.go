package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/operate"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// TestFewRights runs the command as users who may do less than all: it shows what it
// may see, and says in one line what it may not.
func TestFewRights(t *testing.T) {
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		for key, value := range map[string]string{
			"/micro/registry/shop/shop-1":         `{"name":"shop","version":"1","nodes":[{"id":"shop-1","address":"127.0.0.1:1"}]}`,
			"/micro/registry/other/other-1":       `{"name":"other","version":"1","nodes":[{"id":"other-1","address":"127.0.0.1:1"}]}`,
			"/micro/rollcall/pause/closed/gone-1": `{}`,
		} {
			if _, err := server.Client(t).Put(t.Context(), key, value); err != nil {
				t.Fatal(err)
			}
		}
		server.EnableAuth(t, "user", "secret")
		server.AddUser(t, "registry", "secret", testkit.Right{Prefix: "/micro/registry/", Read: true, Write: true})
		server.AddUser(t, "narrow", "secret", testkit.Right{Prefix: "/micro/registry/shop/", Read: true, Write: true})
		server.AddUser(t, "nobody", "secret")
		as := func(user string, args ...string) (int, string, string) {
			return micro(t, append(args, "--registry_address="+server.Addr(), "--registry_user="+user, "--registry_password=secret", "--timeout=5s")...)
		}
		const pauses = "micro: paused nodes cannot be told: "

		for _, user := range []string{"registry", "narrow"} {
			for _, form := range []string{"table", "json"} {
				code, stdout, stderr := as(user, "get", "service", "shop", "-o", form)
				if code != exitOK || !strings.Contains(stdout, "shop-1") || !strings.HasPrefix(stderr, pauses) || strings.Count(stderr, "\n") != 1 {
					t.Errorf("%s: exit code %d, stdout %q, stderr %q", user, code, stdout, stderr)
				}
			}
		}
		if code, stdout, stderr := as("registry", "list", "services"); code != exitOK || !strings.Contains(stdout, "other") || !strings.HasPrefix(stderr, pauses) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
		if code, _, stderr := as("registry", "get", "service", "shp"); code != exitFailed || !strings.Contains(stderr, "did you mean shop?") {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
		for _, args := range [][]string{{"list", "services"}, {"get", "service", "other"}, {"node", "pause", "shop", "shop-1"}} {
			if code, stdout, stderr := as("narrow", args...); code != exitFailed || stdout != "" || !strings.Contains(stderr, `"narrow"`) || !strings.HasSuffix(stderr, "; `micro doctor` shows what is missing, and how to mend it\n") || strings.Contains(stderr, "secret") {
				t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
			}
		}
		if code, stdout, stderr := as("user", "list", "services"); code != exitOK || stderr != "" || !strings.Contains(stdout, "paused 1") {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}

		for user, want := range map[string]string{"user": "ok", "registry": "warning", "narrow": "warning", "nobody": "problem"} {
			code, stdout, stderr := as(user, "doctor", "-o", "json")
			var found findings
			if err := json.Unmarshal([]byte(stdout), &found); err != nil {
				t.Fatalf("%s: %v, stderr %q", user, err, stderr)
			}
			worst, at := "ok", ""
			for _, f := range found {
				if strings.HasPrefix(f.Code, "auth.") && (f.Level == "problem" || f.Level == "warning" && worst == "ok") {
					worst, at = string(f.Level), f.Cause
				}
			}
			if worst != want || (code == exitFailed) != (want == "problem" || strings.Contains(stdout, `"problem"`)) {
				t.Errorf("doctor as %s: %s (%s), want %s; exit code %d", user, worst, at, want, code)
			}
			if user == "narrow" && !strings.Contains(stdout, "under /micro/registry/shop/ only") {
				t.Errorf("doctor does not say what a narrow user may do: %s", stdout)
			}
		}
	})
}

// TestTheHintOnTheAddress shows that nobody is sent to look for another etcd by one
// that refuses him.
func TestTheHintOnTheAddress(t *testing.T) {
	nowhere := etcdAt() // nobody said where it is
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{registry.ErrNotFound, true},
		{fmt.Errorf("list: %w", context.DeadlineExceeded), true},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		{status.Error(codes.Unavailable, "closed"), true},
		{fs.ErrPermission, false},
		{errors.Join(context.DeadlineExceeded, fs.ErrPermission), false},
		{usagef("invalid JSON"), false},
		{errReported, false},
		{operate.ErrAlive, false},
	} {
		if got := strings.Contains(nowhere.explain(tt.err).Error(), "no --registry_address was given"); got != tt.want {
			t.Errorf("%v: the hint is there: %v", tt.err, got)
		}
	}
	if nowhere.explain(nil) != nil {
		t.Error("there is something to explain where all went well")
	}
}
