package nats

import (
	"time"

	nats "github.com/nats-io/nats.go"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/settings"
)

// given is what the options of this broker say.
type given struct {
	client    *nats.Options // what a program says to nats.go itself
	access    credentials.Credentials
	credsFile string
	seedFile  string
	pending   limits
	jetstream *Delivery
}

// limits bound what one subscription has received and not taken yet. Zero means the
// default.
type limits struct{ messages, bytes int }

func option(change func(*given)) broker.Option {
	return func(o *broker.Options) {
		g, _ := settings.Of[given](o.Context)
		change(&g)
		o.Context = settings.With(o.Context, g)
	}
}

// Options gives nats.go's own options, which are made of nats.GetDefaultOptions. Addresses,
// Secure and TLSConfig hold where the broker's own options do not say otherwise; a
// number that is nats.go's default counts as not given, and so the defaults of this
// package hold. Its callbacks are called after the broker's own.
func Options(opts nats.Options) broker.Option {
	return option(func(g *given) { g.client = &opts })
}

// DrainConnection is there for programs written for go-micro v2: Disconnect always lets
// handlers finish what was received.
func DrainConnection() broker.Option { return func(*broker.Options) {} }

// Auth makes the broker log in with a user and a password, which go before those in an
// address.
func Auth(username, password string) broker.Option {
	return option(func(g *given) { g.access.Username, g.access.Password, g.access.PasswordFile = username, password, "" })
}

// AuthFile makes the broker log in with the password that stands in a file, which is
// read at each login.
func AuthFile(username, passwordFile string) broker.Option {
	return option(func(g *given) {
		g.access.Username, g.access.Password, g.access.PasswordFile = username, "", passwordFile
	})
}

// TokenFile makes the broker log in with the token that stands in a file, which is read
// at each login.
func TokenFile(path string) broker.Option {
	return option(func(g *given) { g.access.TokenFile = path })
}

// CredsFile makes the broker log in with a user's JWT and seed, in a file as `nsc` writes
// it, which is read at each login.
func CredsFile(path string) broker.Option {
	return option(func(g *given) { g.credsFile = path })
}

// NKeyFile makes the broker log in with the NKey whose seed stands in a file, which is
// read at each login.
func NKeyFile(path string) broker.Option {
	return option(func(g *given) { g.seedFile = path })
}

// TLSFiles switches TLS on with certificates in PEM files, which are read at each new
// connection. Each may be empty, but cert and key come together.
func TLSFiles(ca, cert, key string) broker.Option {
	return option(func(g *given) { g.access.TLSFiles = reload.Files{CA: ca, Cert: cert, Key: key} })
}

// PendingLimits bounds how much one subscription without JetStream has received that its
// Handler has not taken yet, by default 65536 messages and 64 MiB. What arrives beyond is
// dropped, as NATS does with slow consumers.
func PendingLimits(messages, bytes int) broker.Option {
	return option(func(g *given) { g.pending = limits{messages, bytes} })
}

// JetStream keeps messages in streams on the server, so that each is handled at least
// once. The server needs JetStream (`nats-server -js`). d may be the zero value.
func JetStream(d Delivery) broker.Option {
	return option(func(g *given) { g.jetstream = &d })
}

// The defaults.
const (
	connectTimeout  = 2 * time.Second // of one attempt at one address
	reconnectBase   = 100 * time.Millisecond
	reconnectMax    = 2 * time.Second
	pingInterval    = 5 * time.Second // two that are not answered end a connection
	writeTimeout    = 5 * time.Second // how long the server may take nothing
	answerTimeout   = 5 * time.Second // of one request without a deadline
	pendingMessages = 64 << 10
	pendingBytes    = 64 << 20
)
