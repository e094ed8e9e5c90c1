package doctor

import (
	"testing"

	"go.etcd.io/etcd/api/v3/authpb"
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
