package embedded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// filled returns the Config of an etcd that has run and been stopped, with so many
// keys that its database is a tree and not one page.
func filled(t *testing.T) Config {
	t.Helper()
	cfg := fast(t)
	s, stop := start(t, cfg)
	c := connect(t, s.Addr(), nil)
	for i := range 300 {
		if _, err := c.Put(within(t, 20*time.Second), fmt.Sprintf("/micro/%d", i), strings.Repeat("v", 1000)); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	return cfg
}

// copied returns a Config with a copy of the data of cfg.
func copied(t *testing.T, cfg Config) Config {
	t.Helper()
	from := os.DirFS(cfg.DataDir)
	cfg.DataDir = filepath.Join(t.TempDir(), "etcd")
	if err := os.CopyFS(cfg.DataDir, from); err != nil {
		t.Fatal(err)
	}
	return cfg
}

var (
	databaseFile = filepath.Join("member", "snap", "db")
	logFile      = filepath.Join("member", "wal", "0000000000000000-0000000000000000.wal")
)

// TestALogThatLostItsEnd shows that what the database has applied must be in
// the log, or the member waits for a leader for good.
func TestALogThatLostItsEnd(t *testing.T) {
	good := filled(t)
	for name, spoil := range map[string]func(text []byte) []byte{
		"cut short":           func(b []byte) []byte { return b[:60_000] },
		"cut to its head":     func(b []byte) []byte { return b[:4096] },
		"zeros for its end":   func(b []byte) []byte { clear(b[100_000:]); return b },
		"zeros but its head":  func(b []byte) []byte { clear(b[4096:]); return b },
		"cut at one sector":   func(b []byte) []byte { return b[:512*300] },
		"zeros of one sector": func(b []byte) []byte { clear(b[512*300 : 512*301]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := copied(t, good)
			path := filepath.Join(cfg.DataDir, logFile)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			spoilt := spoil(b)
			if err := os.WriteFile(path, spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := refused(t, cfg); !strings.Contains(err.Error(), "its data is damaged") {
				t.Errorf("got %v", err)
			}
			now, err := os.ReadFile(path)
			if err != nil || string(now) != string(spoilt) {
				t.Errorf("the log was changed before somebody could look at it: %v", err)
			}
			if broken, _ := filepath.Glob(path + "*"); len(broken) != 1 {
				t.Errorf("there is %q now", broken)
			}
		})
	}
}

// TestDamageEndsInWords spoils files at random. Whatever is in them, the process
// lives, and the etcd starts or says why it does not.
func TestDamageEndsInWords(t *testing.T) {
	good := filled(t)
	files := []string{databaseFile, databaseFile, logFile}
	kinds := map[string]func(r *rand.Rand, b []byte) []byte{
		"flip": func(r *rand.Rand, b []byte) []byte {
			for range 1 + r.IntN(200) {
				b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			}
			return b
		},
		"garbage": func(r *rand.Rand, b []byte) []byte {
			at := r.IntN(len(b))
			for i := at; i < min(at+1+r.IntN(20_000), len(b)); i++ {
				b[i] = byte(r.Uint32())
			}
			return b
		},
		"zero": func(r *rand.Rand, b []byte) []byte {
			at := r.IntN(len(b))
			clear(b[at:min(at+1+r.IntN(100_000), len(b))])
			return b
		},
		"cut": func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b))] },
		"swap": func(r *rand.Rand, b []byte) []byte {
			one, other := r.IntN(len(b)/4096)*4096, r.IntN(len(b)/4096)*4096
			page := append([]byte(nil), b[one:one+4096]...)
			copy(b[one:], b[other:other+4096])
			copy(b[other:], page)
			return b
		},
		"heads of pages": func(r *rand.Rand, b []byte) []byte {
			for range 4 {
				page := r.IntN(min(40, len(b)/4096)) * 4096
				b[page+r.IntN(64)] ^= 1 << r.IntN(8)
			}
			return b
		},
	}
	for name, spoil := range kinds {
		for seed := range uint64(8) {
			t.Run(fmt.Sprintf("%s %d", name, seed), func(t *testing.T) {
				cfg := copied(t, good)
				r := rand.New(rand.NewPCG(seed, 1))
				path := filepath.Join(cfg.DataDir, files[seed%3])
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, spoil(r, b), 0o600); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				s, err := Start(ctx, cfg)
				if err == nil {
					err = s.Stop(ctx)
				} else if !strings.Contains(err.Error(), cfg.DataDir) {
					t.Errorf("the error does not name the directory: %v", err)
				}
				if errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("it took too long: %v", err)
				}
			})
		}
	}
}
