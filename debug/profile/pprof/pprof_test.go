package pprof_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rollcall-go/micro/debug/profile"
	"github.com/rollcall-go/micro/debug/profile/pprof"
)

func TestWritesProfiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	p := pprof.NewProfile(profile.Name("demo/a"))
	for range 2 {
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if err := pprof.NewProfile().Start(); err == nil {
		t.Error("there are two profiles of the processor at a time")
	}
	for range 2 {
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"demo_a.cpu.pprof", "demo_a.mem.pprof"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if p.String() != "pprof" {
		t.Error(p.String())
	}
	t.Setenv("TMPDIR", filepath.Join(dir, "nowhere"))
	if err := p.Start(); err == nil {
		t.Error("it writes into a directory that there is not")
	}
}
