package nats

import (
	"crypto/tls"
	"crypto/x509"

	nats "github.com/nats-io/nats.go"

	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/logger"
)

func warn(text string) { logger.Warnf("Broker [nats] Files: %s", text) }

// identify sets who the program is, and whom it trusts. Files are read now, so that
// Connect tells what is wrong with them, and again at each connection.
func identify(o *nats.Options, g given) error {
	if err := secure(o, g.access); err != nil {
		return err
	}
	switch a := g.access; {
	case g.credsFile != "":
		return nats.UserCredentials(g.credsFile)(o)
	case g.seedFile != "":
		login, err := nats.NkeyOptionFromSeed(g.seedFile)
		if err != nil {
			return err
		}
		return login(o)
	case a.TokenFile != "":
		token := reload.NewPassword(a.TokenFile, warn)
		o.TokenHandler = func() string {
			text, _ := token.Get() // what was read once is there
			return text
		}
		_, err := token.Get()
		return err
	case a.PasswordFile != "":
		password := reload.NewPassword(a.PasswordFile, warn)
		o.UserInfo = func() (string, string) {
			text, _ := password.Get() // what was read once is there
			return a.Username, text
		}
		_, err := password.Get()
		return err
	case a.Username != "":
		o.User, o.Password = a.Username, a.Password
	}
	return nil
}

// secure sets the TLS files.
func secure(o *nats.Options, a credentials.Credentials) error {
	if !a.TLSFiles.Given() {
		return nil
	}
	if err := a.TLSFiles.Check(); err != nil {
		return err
	}
	o.Secure = true
	files := reload.NewTLS(a.TLSFiles, warn)
	if a.TLSFiles.CA != "" {
		o.RootCAsCB = func() (*x509.CertPool, error) {
			config, err := files.Config(nil)
			if err != nil {
				return nil, err
			}
			return config.RootCAs, nil
		}
	}
	if a.TLSFiles.Cert != "" {
		o.TLSCertCB = func() (tls.Certificate, error) {
			config, err := files.Config(nil)
			if err != nil {
				return tls.Certificate{}, err
			}
			return config.Certificates[0], nil
		}
	}
	return nil
}
