package callflags

import (
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/server"
)

// Server is what was given for a server. What is empty was not given.
type Server struct {
	said secure.Server
	mode string
	flag string // the first that was given
}

// ReadServer reads the flags and variables, as ReadClient does.
func ReadServer(given func(flag string) string) (Server, error) {
	var s Server
	err := read(ServerFlags(), given, func(flag, value string) error {
		if s.flag == "" {
			s.flag = flag
		}
		switch flag {
		case ServerCert:
			s.said.Files.Cert = value
		case ServerKey:
			s.said.Files.Key = value
		case ServerClientCA:
			s.said.Files.CA = value
		case ServerAllow:
			for name := range strings.SplitSeq(value, ",") {
				if name = strings.TrimSpace(name); name != "" {
					s.said.Allow = append(s.said.Allow, name)
				}
			}
			if s.said.Allow == nil { // which would let everybody in
				return registryflags.Wrong(flag, value, "%w", secure.CheckAllow(""))
			}
			for _, name := range s.said.Allow {
				if err := secure.CheckAllow(name); err != nil {
					return registryflags.Wrong(flag, value, "%w", err)
				}
			}
		case ServerMode:
			s.mode = value
			return mode(flag, value, only, both)
		}
		return nil
	})
	return s, err
}

// Given returns the name of a flag that was given, by variable too; "" if none was.
func (s Server) Given() string { return s.flag }

// over returns own, what the program's code says, with what was given in its place, each
// setting by itself.
func (s Server) over(own secure.Server) secure.Server {
	replace(&own.Files.CA, s.said.Files.CA)
	replace(&own.Files.Cert, s.said.Files.Cert)
	replace(&own.Files.Key, s.said.Files.Key)
	if s.said.Allow != nil {
		own.Allow = slices.Clone(s.said.Allow)
	}
	if s.mode != "" {
		own.Plaintext = s.mode == both
	}
	return own
}

// Option hands what was given to a server.
func (s Server) Option() server.Option {
	return func(o *server.Options) {
		all := s.over(ownServer(*o))
		o.Context = settings.With(o.Context, &all)
	}
}

func ownServer(o server.Options) secure.Server {
	if own, ok := settings.Of[*secure.Server](o.Context); ok {
		return *own
	}
	return secure.Server{}
}

// Check returns an error if what was given is of no use in a server with these options.
func (s Server) Check(in server.Options) error {
	if s.flag == "" {
		return nil
	}
	all := s.over(ownServer(in))
	if all.Config == nil {
		all.Config = in.TLSConfig
	}
	if err := checkFiles(all.Files, ServerClientCA, ServerCert, ServerKey, s.said.Files); err != nil {
		return err
	}
	if s.mode != "" && !all.On() {
		return registryflags.Wrong(ServerMode, s.mode, "to speak TLS takes a certificate; give --%s and --%s too", ServerCert, ServerKey)
	}
	if err := all.Check(); err != nil {
		return &registryflags.Error{Flag: s.flag, Why: err}
	}
	return nil
}
