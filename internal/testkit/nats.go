package testkit

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// NATSOption changes what StartNATS starts.
type NATSOption func(*NATS)

// NATSConfig adds lines to the server's configuration file, in NATS' own language:
//
//	authorization { user: "u", password: "p" }
func NATSConfig(lines string) NATSOption {
	return func(n *NATS) { n.lines = append(n.lines, lines) }
}

// NATSTLS serves clients over TLS alone, with a certificate of ca for localhost,
// 127.0.0.1 and ::1.
func NATSTLS(ca *CA) NATSOption { return func(n *NATS) { n.ca = ca } }

// NATSClientCerts demands client certificates of the authority given to NATSTLS.
func NATSClientCerts() NATSOption { return func(n *NATS) { n.clientCerts = true } }

// NATS is a real nats-server with JetStream, in a process of its own that can be
// killed, frozen and restarted with its data or without.
type NATS struct {
	daemon
	lines       []string
	ca          *CA
	clientCerts bool
}

// StartNATS starts a nats-server and returns once it takes clients. The test is skipped
// by Require where there is none.
func StartNATS(t testing.TB, opts ...NATSOption) *NATS {
	t.Helper()
	n := &NATS{}
	for _, o := range opts {
		o(n)
	}
	binary, err := installed("nats-server")
	Require(t, "nats-server", err)
	if n.ca != nil {
		cert := n.ca.Server(t)
		n.lines = append(n.lines, fmt.Sprintf("tls { cert_file: %q, key_file: %q, ca_file: %q, verify: %t }", cert.CertFile, cert.KeyFile, n.ca.File, n.clientCerts))
	}
	n.daemon = daemon{name: "nats-server", binary: binary, prepare: n.configure, ask: n.greets}
	n.launch(t)
	return n
}

// URL returns the address as a client of NATS takes it.
func (n *NATS) URL() string { return "nats://" + n.addr }

// SetConfig replaces what NATSConfig gave, for the next Restart.
func (n *NATS) SetConfig(lines string) { n.lines = []string{lines} }

func (n *NATS) configure() ([]string, error) {
	file := filepath.Join(filepath.Dir(n.dir), "nats.conf")
	text := fmt.Sprintf("listen: %q\njetstream { store_dir: %q }\n%s\n", n.addr, n.dir, strings.Join(n.lines, "\n"))
	return []string{"-c", file}, os.WriteFile(file, []byte(text), 0o600)
}

// greets reads the line with which the server receives a client, before TLS and login.
func (n *NATS) greets(ctx context.Context) error {
	line, err := firstLine(ctx, n.addr, "")
	if err == nil && !strings.HasPrefix(line, "INFO ") {
		err = fmt.Errorf("it says %q", line)
	}
	return err
}

// firstLine connects, says something and returns the first line of the answer. It waits
// up to two seconds.
func firstLine(ctx context.Context, addr, say string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer closeQuietly(c)
	deadline, _ := ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		return "", err
	}
	if _, err := c.Write([]byte(say)); err != nil {
		return "", err
	}
	return bufio.NewReader(c).ReadString('\n')
}

// installed returns where a program of Debian's packages is: servers are in a directory
// that not every user searches.
func installed(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		path = filepath.Join("/usr/sbin", program)
		if executable(path) != nil {
			return "", err
		}
	}
	return path, nil
}
