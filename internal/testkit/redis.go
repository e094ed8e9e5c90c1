package testkit

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
)

// Redis is a real redis-server that writes each command to its disk before it answers, in
// a process of its own that can be killed, frozen and restarted with its data or without.
type Redis struct {
	daemon
	args []string
}

// StartRedis starts a redis-server, with more arguments if there are any, such as
// "--requirepass", "secret", and returns once it takes clients. The test is skipped by
// Require where there is none.
func StartRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	binary, err := installed("redis-server")
	Require(t, "redis-server", err)
	r := &Redis{args: args}
	r.daemon = daemon{name: "redis-server", binary: binary, prepare: r.arguments, ask: r.pongs}
	r.launch(t)
	return r
}

func (r *Redis) arguments() ([]string, error) {
	host, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		return nil, err
	}
	return append([]string{
		"--bind", host, "--port", port, "--dir", r.dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
	}, r.args...), nil
}

// pongs asks for an answer, which may be that a password is missing.
func (r *Redis) pongs(ctx context.Context) error {
	line, err := firstLine(ctx, r.addr, "PING\r\n")
	if err == nil && !strings.HasPrefix(line, "+PONG") && !strings.HasPrefix(line, "-NOAUTH") {
		err = fmt.Errorf("it says %q", line)
	}
	return err
}
