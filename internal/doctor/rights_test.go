package doctor

import (
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"go.etcd.io/etcd/api/v3/authpb"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestCovers(t *testing.T) {
	perm := func(kind authpb.Permission_Type, from, end string) *authpb.Permission {
		return &authpb.Permission{PermType: kind, Key: []byte(from), RangeEnd: []byte(end)}
	}
	for name, tt := range map[string]struct {
		rights []*authpb.Permission
		want   bool
	}{
		"none":          {nil, false},
		"the prefix":    {[]*authpb.Permission{perm(authpb.READ, "/a/", "/a0")}, true},
		"read-write":    {[]*authpb.Permission{perm(authpb.READWRITE, "/a/", "/a0")}, true},
		"only write":    {[]*authpb.Permission{perm(authpb.WRITE, "/a/", "/a0")}, false},
		"all keys":      {[]*authpb.Permission{perm(authpb.READ, "\x00", "\x00")}, true},
		"from before":   {[]*authpb.Permission{perm(authpb.READ, "/", "\x00")}, true},
		"one key":       {[]*authpb.Permission{perm(authpb.READ, "/a/", "")}, false},
		"a part":        {[]*authpb.Permission{perm(authpb.READ, "/a/", "/a/m")}, false},
		"two parts":     {[]*authpb.Permission{perm(authpb.READ, "/a/m", "/b"), perm(authpb.READ, "/a/", "/a/m")}, true},
		"with a gap":    {[]*authpb.Permission{perm(authpb.READ, "/a/", "/a/m"), perm(authpb.READ, "/a/n", "/b")}, false},
		"starts inside": {[]*authpb.Permission{perm(authpb.READ, "/a/a", "/b")}, false},
	} {
		if got := covers(tt.rights, authpb.READ, "/a/"); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestShell(t *testing.T) {
	for word, want := range map[string]string{"a-1.b/c": "a-1.b/c", "": "''", "a b": "'a b'", "it's; rm": `'it'\''s; rm'`, "$(x)": "'$(x)'"} {
		if got := Shell(word); got != want {
			t.Errorf("shell(%q) = %s, want %s", word, got, want)
		}
	}
}

// TestShellOfWhatCannotBeShown shows that a command that somebody copies still
// means the key that is meant.
func TestShellOfWhatCannotBeShown(t *testing.T) {
	bash, err := exec.LookPath("bash")
	testkit.Require(t, "bash", err)
	for _, word := range []string{"a\x1b[31mb", "it's\tone \\ \u202e", "\xff\xfe", "line\nbreak", "né\u00a0", "\x019"} {
		quoted := Shell(word)
		if strings.ContainsFunc(quoted, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q: %q is not printable", word, quoted)
		}
		if got, err := exec.Command(bash, "-c", "printf %s "+quoted).Output(); err != nil || string(got) != word {
			t.Errorf("%q became %s, which is %q, %v", word, quoted, got, err)
		}
	}
}

// TestFewRights shows that a user who may do less than all is no problem, as long as
// a service of some name can work.
func TestFewRights(t *testing.T) {
	perm := func(kind authpb.Permission_Type, key, end string) *authpb.Permission {
		return &authpb.Permission{PermType: kind, Key: []byte(key), RangeEnd: []byte(end)}
	}
	const own, ownEnd = "/micro/rollcall/", "/micro/rollcall0"
	for name, tt := range map[string]struct {
		rights []*authpb.Permission
		want   []string
		says   string // a part of the finding auth.no_write
	}{
		"all":         {[]*authpb.Permission{perm(authpb.READWRITE, "/micro/", "/micro0")}, nil, ""},
		"none":        {nil, []string{"problem auth.no_read", "problem auth.no_write", "warning auth.no_pause"}, "may not write anything under /micro/registry/"},
		"elsewhere":   {[]*authpb.Permission{perm(authpb.READWRITE, "/other/", "/other0")}, []string{"problem auth.no_read", "problem auth.no_write", "warning auth.no_pause"}, ""},
		"one service": {[]*authpb.Permission{perm(authpb.READWRITE, "/micro/registry/greeter/", "/micro/registry/greeter0"), perm(authpb.READ, own, ownEnd)}, []string{"warning auth.no_read", "warning auth.no_write"}, "under /micro/registry/greeter/ only"},
		"two services": {[]*authpb.Permission{perm(authpb.READWRITE, "/micro/registry/b/", "/micro/registry/b0"), perm(authpb.WRITE, "/micro/registry/a/", "/micro/registry/a0"), perm(authpb.READ, "/micro/", "/micro0")},
			[]string{"warning auth.no_write"}, "under /micro/registry/a/, /micro/registry/b/ only"},
		"one key":      {[]*authpb.Permission{perm(authpb.READWRITE, "/micro/registry/a/1", ""), perm(authpb.READ, "/micro/", "/micro0")}, []string{"warning auth.no_write"}, "under /micro/registry/a/1 only"},
		"a range":      {[]*authpb.Permission{perm(authpb.READWRITE, "/micro/registry/a", "/micro/registry/c"), perm(authpb.READ, "/", open)}, []string{"warning auth.no_write"}, "under /micro/registry/a to /micro/registry/c only"},
		"before it":    {[]*authpb.Permission{perm(authpb.READWRITE, "/micro/registrx", ""), perm(authpb.READ, "/", open)}, []string{"problem auth.no_write"}, ""},
		"up to it":     {[]*authpb.Permission{perm(authpb.READWRITE, "/a", "/micro/registry/"), perm(authpb.READ, "/", open)}, []string{"problem auth.no_write"}, ""},
		"from it on":   {[]*authpb.Permission{perm(authpb.READWRITE, "/micro/registry/b", open), perm(authpb.READ, "/", open)}, []string{"warning auth.no_write"}, "under /micro/registry/b to /micro/registry0 only"},
		"read is less": {[]*authpb.Permission{perm(authpb.READ, "/", open)}, []string{"problem auth.no_write"}, ""},
	} {
		var r report
		judgeRights(&r, layout.Layout{}, "user", "it's", tt.rights, "")
		want(t, r, tt.want...)
		if tt.says != "" {
			says(t, r, "auth.no_write", tt.says, `role grant-permission --prefix 'it'\''s' readwrite /micro/registry/`)
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// TestReleasesThatCheckNoRights is about 9b: some releases let a user write who may
// not.
func TestReleasesThatCheckNoRights(t *testing.T) {
	for version, want := range map[string]string{
		"3.3.11": "etcd 3.4.42 will not", "3.4.23": "etcd 3.4.42 will not", "3.4.41": "will not", "3.5.27": "etcd 3.5.28 will not", "3.6.8": "etcd 3.6.9 will not",
		"3.4.42": "", "3.5.28": "", "3.6.9": "", "3.7.3": "", "4.0.0": "", "what?": "",
	} {
		if got := lax(version); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
}
