package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSoundDataIsNotBlamed: whoever reads that data is damaged moves it away, so it
// is not said where the system lacks something.
func TestSoundDataIsNotBlamed(t *testing.T) {
	blamed := func(err error) bool { return strings.Contains(damaged("/data", err).Error(), "damaged") }
	for _, cause := range []syscall.Errno{syscall.ENOSPC, syscall.ENOMEM, syscall.EMFILE, syscall.EROFS} {
		err := fmt.Errorf("create WAL: %w", &fs.PathError{Op: "write", Path: "/data/member/wal/0.tmp", Err: cause})
		if blamed(err) || !errors.Is(damaged("/data", err), cause) {
			t.Errorf("%v: %v", cause, damaged("/data", err))
		}
	}
	if err := errors.New("file descriptor limit of etcd process is too low; please set higher"); blamed(err) {
		t.Errorf("got %v", damaged("/data", err))
	}
	for _, cause := range []error{errors.New("crc mismatch"), syscall.ENOENT, syscall.EIO} {
		if !blamed(cause) {
			t.Errorf("%v: %v", cause, damaged("/data", cause))
		}
	}
}

func TestWhatNoEtcdCanUse(t *testing.T) {
	for name, tt := range map[string]struct {
		field string
		spoil func(*Config)
	}{
		"a quota that no process can map": {"Quota", func(c *Config) { c.Quota = 1 << 60 }},
		"all addresses, to be dialled":    {"AdvertiseAddress", func(c *Config) { c.AdvertiseAddress = "0.0.0.0:1" }},
		"all of IPv6":                     {"AdvertiseAddress", func(c *Config) { c.AdvertiseAddress = "[::]:1" }},
		"no host":                         {"AdvertiseAddress", func(c *Config) { c.AdvertiseAddress = ":1" }},
		"no host for peers": {"PeerAdvertiseAddress", func(c *Config) {
			c.PeerAddress, c.PeerAdvertiseAddress = "127.0.0.1:0", ":1"
		}},
	} {
		cfg := fast(t)
		tt.spoil(&cfg)
		var bad *ConfigError
		if err := refused(t, cfg); !errors.As(err, &bad) || bad.Field != tt.field {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestALinkToNothing(t *testing.T) {
	cfg := fast(t)
	if err := os.Symlink(filepath.Join(t.TempDir(), "away", "data"), cfg.DataDir); err != nil {
		t.Skip(err) // not every user of Windows may
	}
	var bad *ConfigError
	if err := refused(t, cfg); !errors.As(err, &bad) || bad.Field != "DataDir" || !strings.Contains(bad.Reason, "link") {
		t.Errorf("got %v", err)
	}
}

// TestAStartKilledInTheCheck leaves the file by which it saw that it may write.
func TestAStartKilledInTheCheck(t *testing.T) {
	cfg := fast(t)
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cfg.DataDir, probe+"123"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, cfg)
}
