package secure

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/reload"
)

// Whom the certificate of a node has to be for; the third way is a URI with Service in it.
const (
	// ByHost: the host of its address. That is the default.
	ByHost = "host"
	// ByService: the name of the service, as a DNS name.
	ByService = "service"
	// Service stands for the name of the service in a URI.
	Service = "{service}"
)

// Client is what options and flags say of how a client's calls are secured. The zero
// value is plaintext, and TLS where an address demands it. Values can be compared.
type Client struct {
	// Config is the program's own, which is copied and never changed; nil means none.
	// What is given below goes before what it says.
	Config *tls.Config
	// Files are read again when they have changed.
	Files reload.Files
	// ServerName is the name that every node's certificate has to be for. Empty means
	// that Identity says.
	ServerName string
	// Identity is ByHost, ByService or a URI with Service in it. Empty means ByHost.
	Identity string
	// Prefer makes calls to nodes that say they speak TLS secured ones, and leaves the
	// others in plaintext.
	Prefer bool
	// Require says that calls are secured, by what the system trusts if nothing else is
	// said.
	Require bool
}

// Given reports whether anything is said, so that all calls are secured, or, with
// Prefer, those to nodes that can be called so.
func (c Client) Given() bool { return c != Client{} }

// Check returns what can never work: settings that contradict one another, or files
// that cannot be used as they are now.
func (c Client) Check() error {
	if err := CheckIdentity(c.Identity); err != nil {
		return err
	}
	if c.ServerName != "" && c.perService() {
		return fmt.Errorf("certificates cannot have to be for the name %q and, by the identity %q, for each service's; choose one", c.ServerName, c.Identity)
	}
	return c.Files.Check()
}

// CheckIdentity returns what is wrong with the identity of a Client, nil if nothing is.
func CheckIdentity(identity string) error {
	switch identity {
	case "", ByHost, ByService:
		return nil
	}
	u, err := url.Parse(strings.ReplaceAll(identity, Service, "x"))
	if err != nil || u.Scheme == "" || u.Host == "" || strings.Count(identity, Service) != 1 {
		return fmt.Errorf("want %s, %s, or a URI with %s in it, such as spiffe://example.org/%s", ByHost, ByService, Service, Service)
	}
	return nil
}

// perService reports whether the certificates of two services have to differ.
func (c Client) perService() bool { return c.Identity != "" && c.Identity != ByHost }

// errTLSOnly is why a client without TLS cannot call a node.
var errTLSOnly = errors.New("the node speaks TLS only, by its metadata, and this client does not: give it an authority to trust with --client_tls_ca or the option TLSFiles of client/grpc, or a tls.Config with AuthTLS")

// Decide returns whether the connection to a node is secured: its address may demand
// that, and what its metadata say under record.TLS may ask for it. The error says that
// the node cannot be called by this client.
func (c Client) Decide(demanded bool, says string) (secured bool, err error) {
	switch {
	case demanded:
		return true, nil
	case c.Prefer:
		return says != "", nil
	case c.Given():
		return true, nil
	case says != "" && says != record.TLSBoth:
		return false, errTLSOnly
	}
	return false, nil
}

// Names returns the name of the service if connections to it may carry no calls to
// another one, because their certificates have to differ.
func (c Client) Names(service string) string {
	if c.perService() {
		return service
	}
	return ""
}
