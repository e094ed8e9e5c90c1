package embedded

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Values that stand for the zero values of a Config.
const (
	// DefaultAddress is where clients are served: loopback only, because an
	// etcd without users and certificates must not be open to a network.
	DefaultAddress = "127.0.0.1:2379"
	// DefaultName is the member's name.
	DefaultName = "rollcall"
	// DefaultAutoCompaction keeps one hour of history. A watcher that was cut
	// off for less than that resumes without listing again, and a registry's
	// steady trickle of writes does not let the database grow.
	DefaultAutoCompaction = "1h"
	// DefaultQuota is the size of the database, in bytes, above which etcd
	// accepts no more writes.
	DefaultQuota int64 = 2 << 30
	// MinQuota is the smallest quota that Start accepts. An empty database and
	// some headroom for one compaction must fit in.
	MinQuota int64 = 16 << 20
	// MaxQuota is the largest quota that Start accepts: etcd reserves that much of
	// the process's addresses, and is made for far less.
	MaxQuota int64 = 1 << 40
	// Compaction "off" keeps all history.
	noCompaction = "off"
)

// nominalPeerURL names the only member of a cluster that has no peer listener.
// Nothing is ever dialled there.
const nominalPeerURL = "http://127.0.0.1:2380"

// Config says how to run the etcd. DataDir is the only field that must be set.
type Config struct {
	// DataDir holds the member's log (member/wal) and database (member/snap).
	// It is made when missing. A directory that holds anything else is refused.
	DataDir string
	// Name is the member's name; empty means DefaultName.
	Name string
	// Address is the host:port on which clients are served, over gRPC and
	// HTTP; empty means DefaultAddress. Port 0 chooses a free one.
	Address string
	// AdvertiseAddress is the host:port that clients are told when they ask for
	// the members; empty means Address, with an own address of this machine when
	// Address names none.
	AdvertiseAddress string
	// InitialCluster lists all members of a cluster, this one among them, as
	// "name=url,name=url" with the URLs of their peer listeners; empty means a
	// single member. It says how a cluster begins: once there is data, the members
	// are those of the data.
	InitialCluster string
	// InitialClusterState is NewCluster, which empty means as well, or
	// ExistingCluster.
	InitialClusterState string
	// InitialClusterToken tells clusters apart whose members have the same URLs;
	// empty means one for all. It is the same for all members.
	InitialClusterToken string
	// PeerAddress is the host:port on which other members are served; empty
	// means that of this member's URL in InitialCluster. Without a cluster it
	// means no peer listener, which is all that a single member needs.
	PeerAddress string
	// PeerAdvertiseAddress is the host:port that other members are told; empty
	// means that of this member's URL in InitialCluster, and without a cluster
	// PeerAddress. Give it where something forwards it to PeerAddress.
	PeerAdvertiseAddress string
	// PeerCertFile, PeerKeyFile and PeerCAFile make the peer port TLS only, with
	// certificates signed by that authority on both ends. All or none. The
	// certificate is for serving and for dialling.
	PeerCertFile, PeerKeyFile, PeerCAFile string
	// CertFile and KeyFile make the client port TLS only. Both or none.
	CertFile, KeyFile string
	// ClientCAFile demands from clients a certificate signed by that
	// authority. It needs CertFile and KeyFile.
	ClientCAFile string
	// AutoCompaction says how much history is kept: a duration ("1h"), a count
	// of revisions ("1000"), or "off"; empty means DefaultAutoCompaction.
	AutoCompaction string
	// Quota is the limit of the database in bytes; 0 means DefaultQuota.
	Quota int64
	// UnsafeFast elects within milliseconds and does not wait for the disk. It
	// is for tests: a power cut loses data.
	UnsafeFast bool
	// Log receives etcd's own log, one line an entry; nil means none. Writes
	// are serialized.
	Log io.Writer
	// LogLevel is the lowest level that is logged: "debug", "info", "warn" or
	// "error"; empty means "warn".
	LogLevel string
	// Waiting is told every few seconds while Start waits for the cluster, which
	// members cannot be reached and why: none if all can and no leader is elected
	// yet. It is called by the goroutine that called Start. nil means nobody is.
	Waiting func(unreachable []string)
}

// ConfigError reports a field of a Config that cannot be used. Start returns it
// before it has touched the disk or the network.
type ConfigError struct {
	Field  string // the field's name in Config
	Value  string // what it held
	Reason string // why that cannot be used, and what can
}

// Error names the value and the way out.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("use %s %q: %s", e.Field, e.Value, e.Reason)
}

// withDefaults returns a copy in which no zero value is left to interpret.
func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = DefaultName
	}
	if c.Address == "" {
		c.Address = DefaultAddress
	}
	if c.AutoCompaction == "" {
		c.AutoCompaction = DefaultAutoCompaction
	}
	if c.Quota == 0 {
		c.Quota = DefaultQuota
	}
	if c.InitialClusterState == "" {
		c.InitialClusterState = NewCluster
	}
	if c.InitialClusterToken == "" {
		c.InitialClusterToken = defaultClusterToken
	}
	if c.LogLevel == "" {
		c.LogLevel = "warn"
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	return c
}

// etcd translates a Config without zero values into etcd's own.
func (c Config) etcd(lg *zap.Logger, all cluster) (*embed.Config, error) {
	ec := embed.NewConfig()
	ec.Name = c.Name
	ec.Dir = c.DataDir
	ec.ZapLoggerBuilder = embed.NewZapLoggerBuilder(lg)

	if err := c.setListeners(ec); err != nil {
		return nil, err
	}
	if c.InitialClusterState != NewCluster && c.InitialClusterState != ExistingCluster {
		return nil, &ConfigError{"InitialClusterState", c.InitialClusterState, "choose new or existing"}
	}
	if err := c.setPeers(ec, all); err != nil {
		return nil, err
	}

	mode, retention, err := parseCompaction(c.AutoCompaction)
	if err != nil {
		return nil, err
	}
	ec.AutoCompactionMode, ec.AutoCompactionRetention = mode, retention

	if c.Quota < MinQuota {
		return nil, &ConfigError{"Quota", strconv.FormatInt(c.Quota, 10),
			fmt.Sprintf("need at least %d bytes (16 MiB)", MinQuota)}
	}
	if c.Quota > MaxQuota {
		return nil, &ConfigError{"Quota", strconv.FormatInt(c.Quota, 10),
			fmt.Sprintf("at most %d bytes (1 TiB) are possible", MaxQuota)}
	}
	ec.QuotaBackendBytes = c.Quota

	if c.UnsafeFast {
		ec.TickMs, ec.ElectionMs = 10, 100
		if len(all) > 1 {
			// A process that gets no processor for a while is no dead leader.
			ec.TickMs, ec.ElectionMs = 50, 500
		}
		ec.UnsafeNoFsync = true
	}
	return ec, nil
}

// setListeners fills in the client listener, what is advertised of it, and TLS.
func (c Config) setListeners(ec *embed.Config) error {
	scheme := "http"
	switch {
	case (c.CertFile == "") != (c.KeyFile == ""):
		return &ConfigError{"CertFile", c.CertFile, "a certificate and its key come together, give both or none"}
	case c.ClientCAFile != "" && c.CertFile == "":
		return &ConfigError{"ClientCAFile", c.ClientCAFile, "client certificates need TLS, give a certificate and a key for the server as well"}
	case c.CertFile != "":
		scheme = "https"
		ec.ClientTLSInfo.CertFile, ec.ClientTLSInfo.KeyFile = c.CertFile, c.KeyFile
		ec.ClientTLSInfo.TrustedCAFile = c.ClientCAFile
		ec.ClientTLSInfo.ClientCertAuth = c.ClientCAFile != ""
	}

	client, err := parseAddress("Address", c.Address)
	if err != nil {
		return err
	}
	advertise := reachable(client)
	if c.AdvertiseAddress != "" {
		if advertise, err = parseAddress("AdvertiseAddress", c.AdvertiseAddress); err != nil {
			return err
		}
	}
	ec.ListenClientUrls = []url.URL{{Scheme: scheme, Host: client}}
	ec.AdvertiseClientUrls = []url.URL{{Scheme: scheme, Host: advertise}}
	return nil
}

// parseCompaction turns a duration or a count of revisions into etcd's mode and
// retention.
func parseCompaction(s string) (mode, retention string, err error) {
	if s == noCompaction {
		return embed.CompactorModePeriodic, "0", nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 {
		return embed.CompactorModeRevision, s, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= time.Second {
		return embed.CompactorModePeriodic, s, nil
	}
	return "", "", &ConfigError{"AutoCompaction", s,
		`give a duration of a second or more ("1h"), a count of revisions ("1000") or "off"`}
}

// parseAddress checks a host:port and gives it a numeric IP address as host,
// because etcd listens on nothing else.
func parseAddress(field, s string) (string, error) {
	if i := strings.Index(s, "://"); i >= 0 {
		return "", &ConfigError{field, s, fmt.Sprintf("leave out the scheme: %q", s[i+3:])}
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", &ConfigError{field, s, `give host:port, for example "127.0.0.1:2379" or "[::1]:2379"`}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", &ConfigError{field, s, fmt.Sprintf("port %q is no number from 0 to 65535", port)}
	} else if n == 0 && advertised(field) {
		return "", &ConfigError{field, s, "others need a port to dial, 0 is none"}
	}
	switch {
	case advertised(field) && (host == "" || net.ParseIP(host).IsUnspecified()):
		return "", &ConfigError{field, s, "nobody can dial that, give a host name or an address of this machine"}
	case host == "":
		host = "0.0.0.0"
	case host == "localhost":
		host = "127.0.0.1"
	case net.ParseIP(host) == nil && !advertised(field):
		return "", &ConfigError{field, s, fmt.Sprintf("%q is no IP address of this machine, give one to listen on", host)}
	}
	return net.JoinHostPort(host, port), nil
}

// advertised tells whether a field is an address that others are told.
func advertised(field string) bool {
	return field == "AdvertiseAddress" || field == "PeerAdvertiseAddress"
}

// reachable returns what others can dial to reach a listener on address: the
// same, or an own address of the machine where it listens on all of them.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !net.ParseIP(host).IsUnspecified() {
		return address
	}
	own := "127.0.0.1"
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		addrs = nil
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			own = n.IP.String()
			break
		}
	}
	return net.JoinHostPort(own, port)
}

// parseLevel reads a LogLevel.
func parseLevel(s string) (zapcore.Level, error) {
	level, err := zapcore.ParseLevel(s)
	if err != nil || level > zapcore.ErrorLevel {
		return 0, &ConfigError{"LogLevel", s, "choose debug, info, warn or error"}
	}
	return level, nil
}
