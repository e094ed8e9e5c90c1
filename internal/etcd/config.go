package etcd

import (
	"crypto/tls"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/rollcall-go/micro/internal/reload"
)

const (
	// DefaultSilence is the default of Config.Silence.
	DefaultSilence = 5 * time.Second
	// DefaultPatience is the default of Config.Patience.
	DefaultPatience = 2 * time.Second
)

// Config says which cluster to talk to, and how. The zero value means
// 127.0.0.1:2379 without TLS and without a user.
type Config struct {
	// Addrs are the addresses as the user gave them, with or without scheme and
	// port. Nil means 127.0.0.1:2379. An address that is not nil but malformed is
	// a permanent error; it is never replaced by the default.
	Addrs []string
	// Secure turns TLS on, with the system's roots unless TLS says otherwise.
	Secure bool
	// TLS turns TLS on with these settings. It is copied. Its ServerName, if not
	// empty, is the name that the certificate of every member must have, whatever
	// the address; otherwise that is the host of the address.
	TLS *tls.Config
	// TLSFiles turns TLS on with what is in these files, which goes before what TLS
	// has of the same. They are read again, if they have changed, at each handshake.
	TLSFiles reload.Files
	// Username and Password are used when neither is empty.
	Username, Password string
	// PasswordFile holds the password, if it is not empty, and goes before Password.
	// It is read again at each login.
	PasswordFile string
	// Timeout bounds one request. 0 means defaults.RegistryTimeout.
	Timeout time.Duration
	// Silence is how long nothing may arrive before the link is not trusted. 0 means
	// DefaultSilence.
	Silence time.Duration
	// Patience is how long the answer to a small request may take before the member
	// is suspected. 0 means DefaultPatience.
	Patience time.Duration
	// Zap configures the log of the etcd client. Nil means silent.
	Zap *zap.Config
	// Warn is told what whoever runs the cluster should know, a sentence at a time,
	// from a goroutine of the Conn. It must return quickly and must not call Close.
	// Nil means nobody is told.
	Warn func(text string)
	// Client is a client that the program made itself. It is used as it is and
	// never closed; every field above but Timeout, Silence, Patience and Warn is ignored.
	Client *clientv3.Client
}

// wantsTLS reports whether TLS is asked for, apart from the addresses.
func (c Config) wantsTLS() bool { return c.Secure || c.TLS != nil || c.TLSFiles.Given() }

// Settled returns c with what its files hold now in the place of the files, for a
// look that is over soon. It returns an error for files that cannot be used.
func (c Config) Settled() (Config, error) {
	if c.TLSFiles.Given() {
		config, err := reload.NewTLS(c.TLSFiles, nil).Config(c.TLS)
		if err != nil {
			return c, err
		}
		c.TLS, c.TLSFiles = config, reload.Files{}
	}
	if c.PasswordFile != "" {
		password, err := reload.NewPassword(c.PasswordFile, nil).Get()
		if err != nil {
			return c, err
		}
		c.Password, c.PasswordFile = password, ""
	}
	return c, nil
}

// logsIn reports whether there is a user and a password.
func (c Config) logsIn() bool {
	return c.Username != "" && (c.Password != "" || c.PasswordFile != "")
}
