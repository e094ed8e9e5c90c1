package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestConfigEditAsks changes a key in an editor, and answers what is asked then.
func TestConfigEditAsks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the editor is a shell script")
	}
	server := testkit.StartEtcd(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("VISUAL", "")
	edit := func(script, answers string) (code int, stdout, stderr string, kept int) {
		t.Helper()
		t.Setenv("EDITOR", `sed -i "`+script+`"`)
		var out, errs bytes.Buffer
		code = runReading(t.Context(), []string{"micro", "config", "edit", "--registry_address=" + server.Addr()}, strings.NewReader(answers), &out, &errs)
		files, err := filepath.Glob(filepath.Join(dir, "micro-config-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		return code, out.String(), errs.String(), len(files)
	}
	if code, stdout, stderr := micro(t, "config", "set", "a", "1", "--registry_address="+server.Addr()); code != exitOK {
		t.Fatal(stdout, stderr)
	}
	for _, tt := range []struct {
		what, script, answers string
		code                  int
		stdout, stderr        string
		kept                  int
	}{
		{"yes", "s/1/2/", "yes\n", exitOK, "release 2", "a    1       2", 0},
		{"no", "s/2/3/", "n\n", exitFailed, "", "nothing was released, as you wished", 1},
		{"again, and yes", "s/2/3/;t;s/3/4/", "e\nY\n", exitOK, "release 3", "a 2 4", 0},
		{"what is wrong, again, and yes", "s/4/x/;t;s/x/5/", "y\ny\n", exitOK, "release 4", "edit it again? yes or no", 0},
		{"what is wrong, and no", "s/5/x/", "\n", exitFailed, "", "line 2, column", 1},
		{"no answer", "s/5/6/", "", exitFailed, "", "there was no answer", 1},
		{"nothing", "s/z/z/", "", exitOK, "", "nothing was changed", 0},
	} {
		code, stdout, stderr, kept := edit(tt.script, tt.answers)
		if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(strings.Join(strings.Fields(stderr), " "), strings.Join(strings.Fields(tt.stderr), " ")) || kept != tt.kept {
			t.Errorf("%s: exit code %d, %d files kept, stdout %q, stderr %q", tt.what, code, kept, stdout, stderr)
		}
	}
}
