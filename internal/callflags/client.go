package callflags

import (
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/settings"
)

// Client is what was given for a client. What is empty was not given.
type Client struct {
	said secure.Client
	mode string
	flag string // the first that was given
}

// ReadClient reads the flags and variables, by given, which returns what was given for a
// flag or by its variable. Its error names the first that is wrong.
func ReadClient(given func(flag string) string) (Client, error) {
	var c Client
	err := read(ClientFlags(), given, func(flag, value string) error {
		if c.flag == "" {
			c.flag = flag
		}
		switch flag {
		case ClientCA:
			c.said.Files.CA = value
		case ClientCert:
			c.said.Files.Cert = value
		case ClientKey:
			c.said.Files.Key = value
		case ClientServerName:
			c.said.ServerName = value
		case ClientIdentity:
			c.said.Identity = value
			if err := secure.CheckIdentity(value); err != nil {
				return registryflags.Wrong(flag, value, "%w", err)
			}
		case ClientMode:
			c.mode = value
			return mode(flag, value, require, prefer)
		}
		return nil
	})
	return c, err
}

// Given returns the name of a flag that was given, by variable too; "" if none was.
func (c Client) Given() string { return c.flag }

// Over returns own, what the program's code says, with what was given in its place, each
// setting by itself.
func (c Client) Over(own secure.Client) secure.Client {
	replace(&own.Files.CA, c.said.Files.CA)
	replace(&own.Files.Cert, c.said.Files.Cert)
	replace(&own.Files.Key, c.said.Files.Key)
	replace(&own.ServerName, c.said.ServerName)
	replace(&own.Identity, c.said.Identity)
	if c.mode != "" {
		own.Prefer, own.Require = c.mode == prefer, c.mode == require
	}
	return own
}

func replace(to *string, by string) {
	if by != "" {
		*to = by
	}
}

// Option hands what was given to a client.
func (c Client) Option() client.Option {
	return func(o *client.Options) {
		own, _ := settings.Of[secure.Client](o.Context)
		o.Context = settings.With(o.Context, c.Over(own))
	}
}

// Check returns an error if what was given is of no use in a client with these options.
func (c Client) Check(in client.Options) error {
	if c.flag == "" {
		return nil
	}
	own, _ := settings.Of[secure.Client](in.Context)
	all := c.Over(own)
	if err := checkFiles(all.Files, ClientCA, ClientCert, ClientKey, c.said.Files); err != nil {
		return err
	}
	if err := all.Check(); err != nil {
		return &registryflags.Error{Flag: c.flag, Why: err}
	}
	return nil
}

// checkFiles returns the error of the first file that cannot be used, under the name of
// its flag.
func checkFiles(all reload.Files, ca, cert, key string, given reload.Files) error {
	switch {
	case given.Cert != "" && all.Key == "":
		return registryflags.Wrong(cert, given.Cert, "a certificate and its private key come together; give --%s too", key)
	case given.Key != "" && all.Cert == "":
		return registryflags.Wrong(key, given.Key, "a certificate and its private key come together; give --%s too", cert)
	}
	if err := (reload.Files{CA: all.CA}).Check(); err != nil {
		return registryflags.Wrong(ca, all.CA, "%w", err)
	}
	if err := (reload.Files{Cert: all.Cert, Key: all.Key}).Check(); err != nil {
		return registryflags.Wrong(cert, all.Cert, "%w", err)
	}
	return nil
}
