// Package nearby looks for a registry on this host that somebody may have meant who
// looked into another one.
package nearby

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// EtcdAddress is where an etcd of this host listens if nobody says otherwise.
const EtcdAddress = "127.0.0.1:2379"

// wait bounds a look: what answers on this host answers at once.
const wait = 100 * time.Millisecond

// maxVersion is how much of an answer is read, in bytes. That of etcd has about fifty.
const maxVersion = 1 << 10

// Etcd reports whether an etcd answers at the address, host:port, without TLS. It takes
// a tenth of a second at most, and much less where nobody listens. It is for the way to
// an error.
func Etcd(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/version", nil)
	if err != nil {
		return false
	}
	transport := &http.Transport{DisableKeepAlives: true} // and no proxy: it is this host
	rsp, err := transport.RoundTrip(req)
	if err != nil {
		return false
	}
	defer rsp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(rsp.Body, maxVersion))
	return err == nil && strings.Contains(string(text), `"etcdserver"`)
}

// Hint returns what to say of an etcd at the address to somebody who found nothing in
// mDNS.
func Hint(address string) string {
	return "an etcd answers on " + address + ": choose it with --registry=etcd"
}
