package testkit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// recorder is a testing.TB that keeps what it is told instead of failing.
type recorder struct {
	testing.TB
	fatal, skip string
}

func (*recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.skip = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// record runs f, which may end its goroutine, and returns what f told r.
func record(f func(r *recorder)) *recorder {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

func TestEventually(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, looks := time.Now(), 0
		r := record(func(r *recorder) {
			Eventually(r, time.Second, "the third look", func() bool { looks++; return looks == 3 })
		})
		if r.fatal != "" || looks != 3 || time.Since(begin) != 2*pollInterval {
			t.Errorf("after %v and %d looks: %q, want success at the third look", time.Since(begin), looks, r.fatal)
		}

		begin = time.Now()
		r = record(func(r *recorder) { Eventually(r, time.Second, "the impossible", func() bool { return false }) })
		if want := "not within 1s: the impossible"; r.fatal != want || time.Since(begin) != time.Second {
			t.Errorf("after %v: %q, want %q after 1s", time.Since(begin), r.fatal, want)
		}
	})
}

func TestRequire(t *testing.T) {
	reason := errors.New("no binary")
	for _, tt := range []struct {
		policy           string
		err              error
		fatal, skip, out string
	}{
		{"", nil, "", "", ""},
		{"all", nil, "", "", ""},
		{"", reason, "", `backend "etcd" is not there: no binary`, "SKIP-BACKEND etcd: no binary\n"},
		{"all", reason, `backend "etcd" is required: no binary`, "", ""},
	} {
		var out bytes.Buffer
		r := record(func(r *recorder) { require(r, &out, tt.policy, "etcd", tt.err) })
		if r.fatal != tt.fatal || r.skip != tt.skip || out.String() != tt.out {
			t.Errorf("policy %q, %v: fatal %q, skip %q, printed %q", tt.policy, tt.err, r.fatal, r.skip, &out)
		}
	}
}

func TestArtifact(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	t.Run("a b", func(t *testing.T) {
		if err := artifact(t, dir, "history.txt", []byte("text")); err != nil {
			t.Error(err)
		}
	})
	files, err := filepath.Glob(filepath.Join(dir, "TestArtifact-a_b-*-history.txt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the files are %v, %v", files, err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || string(text) != "text" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestLongOutputIsLoggedInBrief(t *testing.T) {
	t.Setenv(artifactsVariable, t.TempDir())
	var long strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	got := inBrief(t, long.String())
	for _, want := range []string{"line 0\n", "line 199\n[4601 lines are left out here]\n", "line 4999\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
	if short := "line 0\nline 1\n"; inBrief(t, short) != short {
		t.Errorf("a short output became %q", inBrief(t, short))
	}
}
