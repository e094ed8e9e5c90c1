package nats

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	nats "github.com/nats-io/nats.go"
)

// addresses returns the URLs of the servers that are named: each item may be a list with
// commas, and may lack its scheme.
func addresses(items []string) []string {
	var urls []string
	for _, item := range items {
		for address := range strings.SplitSeq(item, ",") {
			address = strings.TrimSpace(address)
			switch {
			case address == "":
				continue
			case !strings.Contains(address, "://"):
				address = "nats://" + address
			}
			urls = append(urls, address)
		}
	}
	if len(urls) == 0 {
		urls = []string{nats.DefaultURL}
	}
	return urls
}

// checkAddresses returns what is wrong with the first address that cannot be used. What
// it says has no password: the error of package url would.
func checkAddresses(urls []string) error {
	for _, address := range urls {
		u, err := url.Parse(address)
		if err != nil {
			var syntax *url.Error
			if errors.As(err, &syntax) {
				err = syntax.Err
			}
			if strings.Contains(address, "@") {
				err = errors.New("it is no URL; write what is special in a password as %XX")
			}
			return fmt.Errorf("use the address %q: %w", shown(address), err)
		}
		switch u.Scheme {
		case "nats", "tls", "ws", "wss":
		default:
			return fmt.Errorf("use the address %q: unknown scheme %q; choose one of nats, tls, ws, wss", shown(address), u.Scheme)
		}
		if u.Hostname() == "" {
			return fmt.Errorf("use the address %q: there is no host in it; write nats://host:port", shown(address))
		}
	}
	return nil
}

// shown returns an address without what is before its last @, which may be a secret.
func shown(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		scheme, rest = "nats", address
	}
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		rest = rest[i+1:]
	}
	return scheme + "://" + rest
}

func shownAll(urls []string) string {
	all := make([]string, len(urls))
	for i, u := range urls {
		all[i] = shown(u)
	}
	return strings.Join(all, ", ")
}
