package grpc

import (
	"net"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/internal/once"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/logger"
)

// doorkeeper makes the handshakes of one run of a server, and says in the log what
// somebody may have to mend.
//
// A nil doorkeeper lets everybody in, in plaintext.
type doorkeeper struct {
	acceptor *secure.Acceptor
	turned   *turned
	said     once.Set
}

// newDoorkeeper returns who makes the handshakes, nil if the server is to speak plaintext.
func newDoorkeeper(sec secure.Server) *doorkeeper {
	if !sec.On() {
		return nil
	}
	d := &doorkeeper{turned: startTurned()}
	d.acceptor = secure.NewAcceptor(sec, secure.Told{
		Warn:      func(text string) { logger.Warnf("Server [grpc] TLS files: %s", text) },
		Plaintext: func(c net.Conn) { d.say("Takes a caller in plaintext", c, nil) },
		Failed:    func(c net.Conn, err error) { d.say("Cannot make a TLS handshake with a caller", c, err) },
		Turned: func(c net.Conn, why error) {
			d.say("Turns a caller away", c, why)
			d.turned.hand(c, why)
		},
	})
	return d
}

// options returns the options that put the doorkeeper in front of a server.
func (d *doorkeeper) options() []grpc.ServerOption {
	if d == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.Creds(d.acceptor.Credentials())}
}

// shut lets nobody in any more who is not in yet.
func (d *doorkeeper) shut() {
	if d != nil {
		d.acceptor.Shut()
	}
}

// stop ends what was begun. Nobody is let in any more by then.
func (d *doorkeeper) stop() {
	if d != nil {
		d.turned.stop()
	}
}

// say logs what became of a connection, once for each host and reason.
func (d *doorkeeper) say(what string, c net.Conn, why error) {
	host := c.RemoteAddr().String()
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	text := host
	if why != nil {
		text += ": " + why.Error()
	}
	if d.said.First(what + text) {
		logger.Warnf("Server [grpc] %s: %s", what, text)
	}
}
