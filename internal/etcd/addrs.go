package etcd

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/rollcall-go/micro/internal/netaddr"
)

const (
	defaultAddr = "127.0.0.1:2379"
	defaultPort = "2379"
)

// target is a parsed list of addresses.
type target struct {
	// addrs are the addresses, host:port each, without duplicates.
	addrs []string
	// tls is true if one of them asked for it by its scheme.
	tls bool
}

// parseAddrs reads addresses as users write them. secure is true if TLS was
// asked for elsewhere. No item is ever skipped or replaced.
func parseAddrs(items []string, secure bool) (target, error) {
	if len(items) == 0 {
		return target{addrs: []string{defaultAddr}}, nil
	}
	var (
		t     target
		plain string // the first item with http://
	)
	for _, item := range items {
		scheme, addr, err := parseAddr(item)
		if err != nil {
			return target{}, fmt.Errorf("parse etcd address %q: %w", withoutSecrets(item), err)
		}
		switch {
		case scheme == "https":
			t.tls = true
		case scheme == "http" && plain == "":
			plain = item
		}
		if !slices.Contains(t.addrs, addr) {
			t.addrs = append(t.addrs, addr)
		}
	}
	switch {
	case plain != "" && secure:
		return target{}, fmt.Errorf("use etcd address %q: TLS is asked for, but http:// means none; write https:// or leave the scheme out", plain)
	case plain != "" && t.tls:
		return target{}, fmt.Errorf("use etcd addresses %q: http:// and https:// cannot be mixed", items)
	}
	return t, nil
}

// parseAddr splits one address into its scheme, which may be empty, and
// host:port.
func parseAddr(item string) (scheme, addr string, err error) {
	rest := strings.TrimSpace(item)
	if rest == "" {
		return "", "", errors.New("it is empty; give host, host:port or a URL, or nothing for " + defaultAddr)
	}
	if strings.Contains(rest, "@") {
		return "", "", errors.New("user and password do not belong in the address, and are left out here; give them by the option Auth")
	}
	if strings.Contains(rest, "?") {
		return "", "", errors.New("a question mark and what is behind it do not belong in the address, and are left out here")
	}
	if i := strings.IndexFunc(rest, separates); i >= 0 {
		return "", "", fmt.Errorf("it holds a %s: give each address by itself", nameOf(rest[i]))
	}
	if s, after, ok := strings.Cut(rest, "://"); ok {
		scheme, rest = strings.ToLower(s), strings.TrimSuffix(after, "/")
		switch scheme {
		case "http", "https":
		case "unix", "unixs":
			return "", "", errors.New("unix sockets are not supported; give a TCP address")
		default:
			return "", "", fmt.Errorf("unknown scheme %q; use http, https or none", s)
		}
	}
	host, port, err := splitHostPort(rest)
	if err != nil {
		return "", "", err
	}
	if err := checkHost(host); err != nil {
		return "", "", err
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	return scheme, net.JoinHostPort(host, port), nil
}

// separates reports whether people put r between two addresses.
func separates(r rune) bool { return r == ',' || r == ';' || r == '|' || unicode.IsSpace(r) }

func nameOf(separator byte) string {
	switch separator {
	case ',':
		return "comma"
	case ';':
		return "semicolon"
	case '|':
		return "bar"
	default:
		return "blank"
	}
}

// withoutSecrets returns an address as a user wrote it without what stands before its
// last @, a password, which may hold any of the signs that separate things; and without
// what stands behind a question mark, which may be a token.
func withoutSecrets(item string) string {
	scheme, rest, ok := strings.Cut(item, "://")
	if !ok || strings.ContainsFunc(scheme, func(r rune) bool { return !unicode.IsLetter(r) && r != ' ' }) {
		scheme, rest = "", item
	} else {
		scheme += "://"
	}
	rest = rest[strings.LastIndex(rest, "@")+1:]
	address, _, _ := strings.Cut(rest, "?")
	return scheme + address
}

// splitHostPort is net.SplitHostPort that allows the port to be missing and an
// IPv6 address without a port to have no brackets.
func splitHostPort(s string) (host, port string, err error) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		host, rest, ok := strings.Cut(inner, "]")
		if !ok {
			return "", "", errors.New("the closing bracket is missing")
		}
		if ip, err := netaddr.ParseIP(host); err != nil || !ip.Is6() {
			return "", "", fmt.Errorf("%q in brackets is not an IPv6 address", host)
		}
		if rest == "" {
			return host, defaultPort, nil
		}
		if port, ok = strings.CutPrefix(rest, ":"); !ok {
			return "", "", fmt.Errorf("%q after the bracket is not a port", rest)
		}
		return host, port, nil
	}
	switch strings.Count(s, ":") {
	case 0:
		return s, defaultPort, nil
	case 1:
		host, port, _ = strings.Cut(s, ":")
		return host, port, nil
	}
	if _, err := netaddr.ParseIP(s); err != nil {
		return "", "", errors.New("too many colons for host:port, and not an IPv6 address; write [address]:port for one")
	}
	return s, defaultPort, nil
}

// checkHost accepts IP addresses and what can be a DNS name.
func checkHost(host string) error {
	if _, err := netaddr.ParseIP(host); err == nil {
		return nil
	}
	if host == "" {
		return errors.New("the host is missing")
	}
	if i := strings.IndexFunc(host, notInName); i >= 0 {
		return fmt.Errorf("%q is not a host name or an IP address", host)
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return fmt.Errorf("%q is not a host name or an IP address", host)
		}
	}
	if _, err := strconv.ParseUint(labels[len(labels)-1], 10, 64); err == nil || len(host) > 254 {
		return fmt.Errorf("%q is not a host name or an IP address", host)
	}
	return nil
}

// notInName reports whether r cannot be part of a host name. Underscores are no
// part of one by the book, but container networks have them.
func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
}

// withoutZone returns addr without the IPv6 zone. The zone is for the local
// machine alone: it cannot stand in a URL, nor in a certificate.
func withoutZone(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	host, _, _ = strings.Cut(host, "%")
	return net.JoinHostPort(host, port)
}
