package web

import (
	"crypto/tls"
	"errors"
	"net"

	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/logger"
)

// selfMade stands for a certificate that the service makes itself.
var selfMade = &tls.Config{}

// protocols are what a connection may speak after its handshake.
var protocols = []string{"h2", "http/1.1"}

// tlsConfig returns the settings of the server's handshakes, nil for plaintext. The
// caller holds mu.
func (s *service) tlsConfig() (*tls.Config, error) {
	sec := s.secure()
	if err := sec.Check(); err != nil {
		return nil, err
	}
	switch {
	case !sec.On():
		return nil, nil
	case sec.Plaintext:
		return nil, errors.New("a web service does not take plaintext on the port of its TLS (--server_tls_mode=both); run a second one, with another address, while callers are moved")
	case sec.Config == selfMade:
		cert, err := secure.SelfSigned(s.hosts()...)
		if err != nil {
			return nil, err
		}
		logger.Warnf("Server [web] Makes a certificate itself, which callers cannot verify: give one with --server_tls_cert and --server_tls_key")
		return &tls.Config{Certificates: []tls.Certificate{cert}}, nil
	case sec.Files.Given():
		files := reload.NewTLS(sec.Files, func(text string) { logger.Warnf("Server [web] TLS files: %s", text) })
		first, err := files.Server(sec.Config)
		if err != nil {
			return nil, err
		}
		return &tls.Config{MinVersion: first.MinVersion, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			config, err := files.Server(sec.Config)
			if err != nil {
				return nil, err
			}
			config.NextProtos = protocols
			return admitting(config, sec), nil
		}}, nil
	case len(sec.Config.Certificates) == 0 && sec.Config.GetCertificate == nil && sec.Config.GetConfigForClient == nil:
		return nil, errors.New("the tls.Config has no certificate: fill in Certificates or GetCertificate, or give --server_tls_cert and --server_tls_key")
	}
	return admitting(sec.Config.Clone(), sec), nil
}

// admitting makes config, which it changes, let those in alone who may call.
func admitting(config *tls.Config, sec secure.Server) *tls.Config {
	if len(sec.Allow) == 0 {
		return config
	}
	own := config.VerifyConnection
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if own != nil {
			if err := own(state); err != nil {
				return err
			}
		}
		return sec.Admit(state)
	}
	return config
}

// hosts returns what a certificate that the service makes itself is for. The caller
// holds mu.
func (s *service) hosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	for _, address := range []string{s.opts.Address, s.opts.Advertise} {
		if host, _, err := net.SplitHostPort(address); err == nil && host != "" {
			hosts = append(hosts, host)
		}
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return hosts // nobody can verify it anyway
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() {
			hosts = append(hosts, n.IP.String())
		}
	}
	return hosts
}
