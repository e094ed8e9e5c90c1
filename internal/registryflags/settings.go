package registryflags

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// Settings are what was given. What is empty was not given.
type Settings struct {
	Addrs      []string
	Layout     layout.Layout // of the keys, by the namespace
	access     credentials.Credentials
	serverName string
	given      []string          // names of flags, in the order of Flags
	whole      map[string]string // what was given for each, for other registries too
}

// Read reads the flags and variables, by given, which returns what was given for a
// flag or by its variable. Its error names the first that is wrong, in the order of
// Flags, and never what is secret.
func Read(given func(flag string) string) (Settings, error) {
	all, err := ReadEach(given, nil)
	if err != nil {
		return Settings{}, err
	}
	return all[0], nil
}

func (s *Settings) set(name, value string) (err error) {
	switch name {
	case Address:
		s.Addrs, err = addresses(value)
	case User:
		s.access.Username = value
	case Password:
		s.access.Password = value
	case PasswordFile:
		return s.file(name, value, Password, "password", &s.access.Password, &s.access.PasswordFile)
	case Token:
		s.access.Token = strings.TrimSpace(value)
	case TokenFile:
		return s.file(name, value, Token, "token", &s.access.Token, &s.access.TokenFile)
	case CA:
		s.access.TLSFiles.CA = value
	case Cert:
		s.access.TLSFiles.Cert = value
	case Key:
		s.access.TLSFiles.Key = value
	case ServerName:
		s.serverName = value
	case Namespace:
		s.Layout.Namespace = value
		if err := s.Layout.Check(); err != nil {
			return Wrong(name, value, "%w", err)
		}
	}
	return err
}

// file sets a secret that is in a file, unless the flag of the secret itself goes before
// the variable of the file.
func (s *Settings) file(name, value, other, what string, secret, file *string) error {
	switch byFlag, fileByFlag := isFlag(other, s.whole[other]), isFlag(name, s.whole[name]); {
	case *secret == "" || fileByFlag && !byFlag:
		*secret = ""
	case byFlag && !fileByFlag:
		return nil // a flag goes before a variable
	default:
		return Wrong(name, value, "the %s is given by %s as well; choose one", what, source(other, s.whole[other]))
	}
	*file = value
	if _, err := reload.NewPassword(value, nil).Get(); err != nil {
		return Wrong(name, value, "%w", err)
	}
	return nil
}

// Given returns the names of the flags that were given, by variable too.
func (s Settings) Given() []string { return s.given }

// Whole returns what was given for a flag, that for other registries too; nothing if it
// is secret.
func (s Settings) Whole(flag string) string {
	if secret(flag) {
		return ""
	}
	return s.whole[flag]
}

// Refused returns err, with which a registry refused the settings, as one about the
// addresses, if any were given.
func (s Settings) Refused(err error) error {
	if s.whole[Address] == "" {
		return err
	}
	return Wrong(Address, s.whole[Address], "%w", err)
}

// Option hands what was given to a registry. Whatever was not given stays as the
// program's code has it, each setting by itself.
func (s Settings) Option() registry.Option {
	return func(o *registry.Options) {
		if s.Addrs != nil {
			o.Addrs = slices.Clone(s.Addrs)
		}
		if s.serverName != "" {
			o.TLSConfig = s.config(o.TLSConfig)
		}
		if s.access != (credentials.Credentials{}) {
			before, _ := settings.Of[credentials.Credentials](o.Context)
			o.Context = settings.With(o.Context, s.over(before))
		}
		if s.Layout != (layout.Layout{}) {
			o.Context = settings.With(o.Context, s.Layout)
		}
	}
}

// InContract returns the names of the flags for which registry.Options has a field,
// so that any registry can obey them.
func InContract() []string { return []string{Address, ServerName} }

// Kept reports whether a registry with these options took in what Option handed it
// beyond the fields of the contract.
func Kept(o registry.Options) bool {
	_, access := settings.Of[credentials.Credentials](o.Context)
	_, keys := settings.Of[layout.Layout](o.Context)
	return access || keys
}

// config returns a copy of the program's settings, which may be nil, with the
// server's name.
func (s Settings) config(own *tls.Config) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if own != nil {
		config = own.Clone()
	}
	config.ServerName = s.serverName
	return config
}

// over returns the access with what was given in place of what was there before.
func (s Settings) over(before credentials.Credentials) credentials.Credentials {
	a := before
	replace := func(to *string, by string) {
		if by != "" {
			*to = by
		}
	}
	replace(&a.Username, s.access.Username)
	if s.access.Password != "" || s.access.PasswordFile != "" {
		a.Password, a.PasswordFile = s.access.Password, s.access.PasswordFile
	}
	if s.access.Token != "" || s.access.TokenFile != "" {
		a.Token, a.TokenFile = s.access.Token, s.access.TokenFile
	}
	replace(&a.TLSFiles.CA, s.access.TLSFiles.CA)
	replace(&a.TLSFiles.Cert, s.access.TLSFiles.Cert)
	replace(&a.TLSFiles.Key, s.access.TLSFiles.Key)
	return a
}

// Check returns an error if what was given is of no use in a registry with these
// options: half of a pair, a user without a password, say, of which the program's
// code has not the other half, or files that cannot be read.
func (s Settings) Check(in registry.Options) error {
	before, _ := settings.Of[credentials.Credentials](in.Context)
	a := s.over(before) // a registry of the program's own may not have kept them
	password := a.Password != "" || a.PasswordFile != ""
	switch {
	case s.access.Username != "" && !password:
		return Wrong(User, a.Username, "a user and a password come together; give --%s (%s) or --%s too", Password, Variable(Password), PasswordFile)
	case s.access.Password != "" && a.Username == "":
		return &Error{Flag: Password, Why: fmt.Errorf("a user and a password come together; give --%s (%s) too", User, Variable(User))}
	case s.access.PasswordFile != "" && a.Username == "":
		return Wrong(PasswordFile, a.PasswordFile, "a user and a password come together; give --%s (%s) too", User, Variable(User))
	case s.access.TLSFiles.Cert != "" && a.TLSFiles.Key == "":
		return Wrong(Cert, a.TLSFiles.Cert, "a certificate and its private key come together; give --%s too", Key)
	case s.access.TLSFiles.Key != "" && a.TLSFiles.Cert == "":
		return Wrong(Key, a.TLSFiles.Key, "a certificate and its private key come together; give --%s too", Cert)
	}
	if !s.access.TLSFiles.Given() {
		return nil
	}
	if err := (reload.Files{CA: a.TLSFiles.CA}).Check(); err != nil {
		return Wrong(CA, a.TLSFiles.CA, "%w", err)
	}
	if err := a.TLSFiles.Check(); err != nil {
		return Wrong(Cert, a.TLSFiles.Cert, "%w", err)
	}
	return nil
}

// Config returns what was given as the configuration of a connection to etcd.
func (s Settings) Config(timeout time.Duration) etcd.Config {
	var config *tls.Config
	if s.serverName != "" {
		config = s.config(nil)
	}
	return etcd.Config{
		Addrs: s.Addrs, TLS: config, TLSFiles: s.access.TLSFiles, Timeout: timeout,
		Username: s.access.Username, Password: s.access.Password, PasswordFile: s.access.PasswordFile,
	}
}

// Consul returns what was given as the configuration of a client of Consul.
func (s Settings) Consul(timeout time.Duration) consul.Config {
	var config *tls.Config
	if s.serverName != "" {
		config = s.config(nil)
	}
	return consul.Config{Addrs: s.Addrs, TLS: config, Credentials: s.access, Timeout: timeout}
}

// addresses splits a list at its commas. One more comma at its end does no harm:
// templates leave one there.
func addresses(list string) ([]string, error) {
	wrong := func(format string, args ...any) ([]string, error) {
		return nil, Wrong(Address, list, format, args...)
	}
	if strings.Contains(list, "@") { // not quoted: there may be a password in it
		return nil, &Error{Flag: Address, Why: fmt.Errorf("user and password do not belong in an address; give --%s and --%s", User, Password)}
	}
	if strings.Contains(list, "?") { // nor here: there may be a token
		return nil, &Error{Flag: Address, Why: fmt.Errorf("a question mark and what is behind it do not belong in an address; a token is given by --%s", Token)}
	}
	addrs := strings.Split(list, ",")
	for i, addr := range addrs {
		addrs[i] = strings.TrimSpace(addr)
		switch rest := strings.Trim(addrs[i], `"'`); {
		case addrs[i] == "" && i > 0 && i == len(addrs)-1:
			return addrs[:i], nil
		case addrs[i] == "":
			return wrong("address %d of %d is empty", i+1, len(addrs))
		case rest != addrs[i]:
			return wrong("in %q the quotes are part of the address; leave them out", addrs[i])
		case strings.ContainsAny(addrs[i], "; \t\r\n|"):
			return wrong("%q is no address; commas separate them: %s", addrs[i], strings.Join(strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(",; \t\r\n|", r) }), ","))
		}
	}
	return addrs, nil
}
