package consul

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/reload"
)

// TestEnvironment shows that the variables of Consul's tools fill in what nobody said,
// and nothing else.
func TestEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"CONSUL_HTTP_ADDR": "https://env:1", "CONSUL_HTTP_TOKEN": "env", "CONSUL_HTTP_AUTH": "u:p:q", "CONSUL_HTTP_SSL": "true", "CONSUL_HTTP_SSL_VERIFY": "1",
		"CONSUL_CACERT": "ca", "CONSUL_CLIENT_CERT": "cert", "CONSUL_CLIENT_KEY": "key", "CONSUL_TLS_SERVER_NAME": "name", "CONSUL_HTTP_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
	c, err := Config{}.withEnvironment()
	if err != nil || len(c.Addrs) != 1 || c.Addrs[0] != "https://env:1" || c.Token != "env" || c.Username != "u" || c.Password != "p:q" || !c.Secure ||
		c.TLSFiles.CA != "ca" || c.TLSFiles.Cert != "cert" || c.TLSFiles.Key != "key" || c.TLS.ServerName != "name" {
		t.Errorf("got %+v, %v", c, err)
	}
	said := Config{Addrs: []string{"a"}, TLS: &tls.Config{MinVersion: tls.VersionTLS13}, Credentials: credentials.Credentials{TokenFile: "file", Username: "own", Password: "secret"}}
	c, err = said.withEnvironment()
	if err != nil || c.Addrs[0] != "a" || c.Token != "" || c.TokenFile != "file" || c.Username != "own" || c.Password != "secret" || c.TLSFiles.CA != "" || c.TLS.ServerName != "" {
		t.Errorf("got %+v, %v", c, err)
	}
	t.Setenv("CONSUL_HTTP_TOKEN_FILE", "file")
	if c, err = (Config{}).withEnvironment(); err != nil || c.Token != "" || c.TokenFile != "file" {
		t.Errorf("a token and a file: got %+v, %v", c, err)
	}
	for name, value := range map[string]string{"CONSUL_HTTP_SSL": "perhaps", "CONSUL_HTTP_SSL_VERIFY": "false"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			client := Open(Config{})
			defer client.Close()
			if err := client.Err(); err == nil || !strings.Contains(err.Error(), name+`="`+value+`"`) {
				t.Error(err)
			}
			if _, _, err := client.Service(t.Context(), "x", Query{}); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("a method: %v", err)
			}
		})
	}
}

// TestCertificatesAskForNoTLS shows that an address without https is plain where
// certificates are named by variables alone, as for Consul's own tools.
func TestCertificatesAskForNoTLS(t *testing.T) {
	for _, name := range []string{"CONSUL_HTTP_ADDR", "CONSUL_HTTP_SSL", "CONSUL_HTTP_SSL_VERIFY"} {
		t.Setenv(name, "")
	}
	t.Setenv("CONSUL_CACERT", "ca")
	t.Setenv("CONSUL_TLS_SERVER_NAME", "name")
	for addr, want := range map[string]string{"a": "http", "http://a": "http", "https://a": "https"} {
		client := Open(Config{Addrs: []string{addr}})
		defer client.Close()
		if client.Err() != nil || client.agents[0].scheme != want {
			t.Errorf("%q: %v, want %s", addr, client.Err(), want)
		}
	}
	for what, c := range map[string]Config{
		"files": {Credentials: credentials.Credentials{TLSFiles: reload.Files{CA: "ca"}}}, "settings": {TLS: &tls.Config{MinVersion: tls.VersionTLS12}}, "a wish": {Secure: true},
	} {
		c.Addrs = []string{"a"}
		client := Open(c)
		defer client.Close()
		if client.Err() != nil || client.agents[0].scheme != "https" {
			t.Errorf("with %s that the program gives: %v, want https", what, client.Err())
		}
	}
}
