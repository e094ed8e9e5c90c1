package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/embedded"
)

// Bounds of a start and of a graceful stop.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

func serverCommand() *cli.Command {
	return &cli.Command{
		Name:  "server",
		Usage: "run an etcd for services to register in",
		Description: `Runs one etcd in this process, until it is interrupted. It is a complete etcd:
etcdctl, and curl on its HTTP API, work on the same address.

It listens on the loopback interface only, unless --address says otherwise. On
a network give it certificates (--tls_cert, --tls_key, --tls_client_ca), or turn
users on with etcdctl, because whoever reaches it can change what is registered;
it warns of that. HTTP is for programs: pages in a browser are refused, and so are
host names but those of loopback, of this host and of --advertise_address.

Several etcds on one machine need an --address and a --data_dir each.

Three of them form a cluster, which goes on while two of them run: start each
with the same --initial_cluster and its own --name. It waits for the others, and
says for whom. --initial_cluster_state=existing is for a member that takes the
place of one that lost its data; docs/CLI.md shows both.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "address", EnvVars: []string{"MICRO_ETCD_ADDRESS"}, Value: embedded.DefaultAddress,
				Usage: "serve clients on `HOST:PORT`; port 0 chooses a free one"},
			&cli.StringFlag{Name: "data_dir", EnvVars: []string{"MICRO_ETCD_DATA_DIR"}, DefaultText: "rollcall/etcd where this user's data is kept",
				Usage: "keep the data in `DIRECTORY`, made when missing"},
			&cli.StringFlag{Name: "advertise_address", EnvVars: []string{"MICRO_ETCD_ADVERTISE_ADDRESS"}, DefaultText: "the address",
				Usage: "tell clients to connect to `HOST:PORT`"},
			&cli.StringFlag{Name: "tls_cert", EnvVars: []string{"MICRO_ETCD_TLS_CERT"},
				Usage: "serve TLS with the certificate in `FILE`"},
			&cli.StringFlag{Name: "tls_key", EnvVars: []string{"MICRO_ETCD_TLS_KEY"},
				Usage: "the certificate's private key is in `FILE`"},
			&cli.StringFlag{Name: "tls_client_ca", EnvVars: []string{"MICRO_ETCD_TLS_CLIENT_CA"},
				Usage: "demand client certificates signed by the authority in `FILE`"},
			&cli.StringFlag{Name: "auto_compaction", EnvVars: []string{"MICRO_ETCD_AUTO_COMPACTION"}, Value: embedded.DefaultAutoCompaction,
				Usage: "keep `HISTORY` of a duration (1h), of a count of revisions (1000), or all (off)"},
			&cli.StringFlag{Name: "quota", EnvVars: []string{"MICRO_ETCD_QUOTA"}, Value: "2GiB",
				Usage: "accept no more writes when the database has this `SIZE` in bytes, MiB or GiB"},
			&cli.StringFlag{Name: "log_level", EnvVars: []string{"MICRO_ETCD_LOG_LEVEL"}, Value: "warn",
				Usage: "log what etcd reports from `LEVEL` on: debug, info, warn or error"},
			&cli.BoolFlag{Name: "unsafe_fast", Hidden: true,
				Usage: "elect within milliseconds and do not wait for the disk; for tests"},
		}, clusterFlags()...),
		Before: noArguments,
		Action: runServer,
	}
}

// runServer runs the etcd until the context is done.
func runServer(c *cli.Context) error {
	cfg, err := serverConfig(c)
	if err != nil {
		return err
	}
	starting, cancel := context.WithTimeout(c.Context, startTimeout)
	if cfg.InitialCluster != "" {
		// The other members may be started by hand, one after the other.
		starting, cancel = context.WithCancel(c.Context)
	}
	defer cancel()
	etcd, err := embedded.Start(starting, cfg)
	if err != nil {
		if c.Context.Err() != nil {
			return nil // told to stop before it was ready
		}
		return asUsage(err)
	}

	security, scheme := "", ""
	if cfg.CertFile != "" {
		security, scheme = " with TLS", "https://"
	}
	stdout(c).line("etcd %s ready on %s%s, data in %s", embedded.Version(), etcd.Addr(), security, etcd.DataDir())
	stdout(c).line("services register here with --registry=etcd --registry_address=%s%s", scheme, etcd.AdvertisedAddr())
	for _, door := range etcd.Exposed() {
		stderr(c).note("micro: warning: %s", door)
	}

	select {
	case <-c.Context.Done():
	case err = <-etcd.Failed():
		return err
	}
	fmt.Fprintln(c.App.Writer, "etcd stopping")
	stopping, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return etcd.Stop(stopping)
}

// serverConfig reads the flags.
func serverConfig(c *cli.Context) (embedded.Config, error) {
	quota, err := parseSize(c.String("quota"))
	if err != nil {
		return embedded.Config{}, usagef("invalid value %q for \"--quota\": %v", c.String("quota"), err)
	}
	dir := c.String("data_dir")
	if dir == "~" || strings.HasPrefix(dir, "~/") {
		return embedded.Config{}, usagef("invalid value %q for \"--data_dir\": the shell has not replaced the ~, write $HOME in its place", dir)
	}
	if strings.TrimSpace(dir) == "" {
		if dir, err = defaultDataDir(); err != nil {
			return embedded.Config{}, err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return embedded.Config{}, err
	}
	cfg := embedded.Config{
		DataDir:          dir,
		Address:          c.String("address"),
		AdvertiseAddress: c.String("advertise_address"),
		CertFile:         c.String("tls_cert"),
		KeyFile:          c.String("tls_key"),
		ClientCAFile:     c.String("tls_client_ca"),
		AutoCompaction:   c.String("auto_compaction"),
		Quota:            quota,
		UnsafeFast:       c.Bool("unsafe_fast"),
		Log:              c.App.ErrWriter,
		LogLevel:         c.String("log_level"),
	}
	setCluster(c, &cfg)
	return cfg, nil
}

// flagOf names the flag that sets a field of embedded.Config.
var flagOf = map[string]string{
	"Name":                 "--name",
	"Address":              "--address",
	"AdvertiseAddress":     "--advertise_address",
	"InitialCluster":       "--initial_cluster",
	"InitialClusterState":  "--initial_cluster_state",
	"PeerAddress":          "--peer_address",
	"PeerAdvertiseAddress": "--peer_advertise_address",
	"PeerCertFile":         "--peer_tls_cert",
	"DataDir":              "--data_dir",
	"CertFile":             "--tls_cert",
	"ClientCAFile":         "--tls_client_ca",
	"AutoCompaction":       "--auto_compaction",
	"Quota":                "--quota",
	"LogLevel":             "--log_level",
}

// asUsage reports a value that cannot be used under the name of its flag.
func asUsage(err error) error {
	var bad *embedded.ConfigError
	if errors.As(err, &bad) && flagOf[bad.Field] != "" {
		return usagef("invalid value %q for %q: %s", bad.Value, flagOf[bad.Field], bad.Reason)
	}
	return err
}

// defaultDataDir returns the place for this user's data on this system.
func defaultDataDir() (string, error) {
	base := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(base) {
		var err error
		switch runtime.GOOS {
		case "windows":
			base, err = os.UserCacheDir() // %LocalAppData%
		case "darwin":
			base, err = os.UserConfigDir() // Application Support
		default:
			if base, err = os.UserHomeDir(); err == nil {
				base = filepath.Join(base, ".local", "share")
			}
		}
		if err != nil {
			return "", fmt.Errorf("find a place for the data, give --data_dir: %w", err)
		}
	}
	return filepath.Join(base, "rollcall", "etcd"), nil
}

// parseSize reads a number of bytes: 1048576, 512MiB or 2GiB.
func parseSize(s string) (int64, error) {
	number, unit := strings.TrimSpace(s), int64(1)
	for suffix, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = strings.TrimSpace(rest), factor
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > (1<<62)/unit {
		return 0, errors.New("give a number of bytes, or of MiB or GiB (512MiB, 2GiB)")
	}
	return n * unit, nil
}
