package testkit

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Metric returns the sum of the etcd's metrics whose lines begin with prefix, for
// example `grpc_server_started_total{grpc_method="Authenticate"`; 0 if it has
// none yet. The etcd must serve without TLS.
func (e *Etcd) Metric(t testing.TB, prefix string) (sum int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	// No connection stays behind.
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatalf("read the metrics of etcd on %s: %v", e.addr, err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), prefix)
		if !ok {
			continue
		}
		var n float64
		if _, err := fmt.Sscan(rest[strings.LastIndexByte(rest, ' ')+1:], &n); err != nil {
			t.Fatalf("read metric %q: %v", lines.Text(), err)
		}
		sum += int(n)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("read the metrics of etcd on %s: %v", e.addr, err)
	}
	return sum
}
