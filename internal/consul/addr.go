package consul

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// The address of an agent that nobody named.
const (
	defaultAddr = "127.0.0.1:8500"
	defaultPort = "8500"
)

// target is where an agent is.
type target struct {
	text    string // as it was given, for errors
	network string // "tcp" or "unix"
	dial    string // what is dialed
	scheme  string // "http" or "https"
	host    string // what stands in a URL
}

// parseAddr reads an address: HOST, HOST:PORT, http://HOST:PORT, https://HOST:PORT or
// unix:///PATH. secure makes one without a scheme https.
func parseAddr(text string, secure bool) (target, error) {
	t := target{text: text, network: "tcp", scheme: "http"}
	fail := func(why string) (target, error) {
		return t, fmt.Errorf("read the address %q of Consul: %s; write HOST:PORT, https://HOST:PORT or unix:///PATH", text, why)
	}
	rest := strings.TrimSpace(text)
	if !strings.HasPrefix(rest, "unix://") && strings.ContainsAny(rest, "@?") {
		t.text = "(not shown)" // a password or a token may be in it
		return t, errors.New("read the address of Consul: user, password and token do not belong into it, nor does anything after a question mark; give them as CONSUL_HTTP_AUTH and CONSUL_HTTP_TOKEN, and write HOST:PORT")
	}
	switch scheme, after, ok := strings.Cut(rest, "://"); {
	case !ok:
		if secure {
			t.scheme = "https"
		}
	case scheme == "unix":
		if after == "" {
			return fail("it has no path")
		}
		t.network, t.dial, t.host = "unix", after, "consul"
		if secure {
			t.scheme = "https"
		}
		return t, nil
	case scheme == "http" && secure:
		return fail("it says http, and TLS is asked for")
	case scheme == "http" || scheme == "https":
		t.scheme, rest = scheme, strings.TrimSuffix(after, "/")
	default:
		return fail(fmt.Sprintf("it has the unknown scheme %q", scheme))
	}
	if strings.ContainsAny(rest, "/# ,") {
		return fail("it is no host and port")
	}
	host, port, err := net.SplitHostPort(rest)
	if ae := (*net.AddrError)(nil); errors.As(err, &ae) && ae.Err == "missing port in address" {
		host, port, err = strings.Trim(rest, "[]"), defaultPort, nil
	} else if err != nil && strings.Count(rest, ":") > 1 && net.ParseIP(rest) != nil {
		host, port, err = rest, defaultPort, nil // IPv6 without a port
	}
	if err != nil {
		return fail(err.Error())
	}
	if host == "" {
		return fail("it has no host")
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fail(fmt.Sprintf("%q is no port", port))
	}
	t.dial = net.JoinHostPort(host, port)
	t.host = strings.ReplaceAll(t.dial, "%", "%25") // before the zone of an IPv6 address
	if _, err := url.Parse(t.scheme + "://" + t.host); err != nil {
		return fail("it is no host and port")
	}
	return t, nil
}
