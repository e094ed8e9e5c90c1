package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	gosync "sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro/client"
	microhttp "github.com/rollcall-go/micro/client/http"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

const (
	// webCallers request at once, each after its last request has ended, every webEvery.
	webCallers = 8
	webEvery   = 20 * time.Millisecond
	// webTimeout bounds one request, with all its attempts.
	webTimeout = 10 * time.Second
)

// webLoad are callers of a web service, half of whose requests may be made again (GET) and
// half may not (POST).
type webLoad struct {
	requests, longest atomic.Int64
	end               func()

	mu     gosync.Mutex // guards what follows
	failed map[string][]error
	by     map[string]int // requests that a node answered, by its address
}

// startWebLoad starts the callers, who stop with the test at the latest.
func startWebLoad(t *testing.T, r registry.Registry) *webLoad {
	t.Helper()
	l := &webLoad{failed: map[string][]error{}, by: map[string]int{}}
	rt := microhttp.NewRoundTripper(client.Registry(r))
	t.Cleanup(func() { fleet.Close(t, rt) })
	c := &http.Client{Transport: rt, Timeout: webTimeout}
	ctx, cancel := context.WithCancel(context.Background())
	var callers gosync.WaitGroup
	for i := range webCallers {
		method := []string{http.MethodGet, http.MethodPost}[i%2]
		callers.Go(func() {
			every := time.NewTicker(webEvery)
			defer every.Stop()
			for ctx.Err() == nil {
				l.request(c, method)
				select {
				case <-every.C:
				case <-ctx.Done():
				}
			}
		})
	}
	l.end = gosync.OnceFunc(func() { cancel(); callers.Wait() })
	t.Cleanup(l.end)
	return l
}

// request makes one request and notes what became of it. It is not cut off by the end of
// the load.
func (l *webLoad) request(c *http.Client, method string) {
	began := time.Now()
	node, err := webAsk(c, method)
	took := int64(time.Since(began))
	for longest := l.longest.Load(); took > longest && !l.longest.CompareAndSwap(longest, took); longest = l.longest.Load() {
	}
	l.requests.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed[method] = append(l.failed[method], err)
		return
	}
	l.by[node]++
}

// webAsk makes a request and returns which node answered.
func webAsk(c *http.Client, method string) (node string, err error) {
	id := uuid.NewString()
	req, err := http.NewRequest(method, "http://"+webName+"/?id="+id, strings.NewReader("text"))
	if err != nil {
		return "", err
	}
	rsp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer rsp.Body.Close()
	body, err := io.ReadAll(rsp.Body)
	if err == nil && (rsp.StatusCode != http.StatusOK || string(body) != id) {
		err = fmt.Errorf("asked %q, answered %d %q", id, rsp.StatusCode, body)
	}
	return rsp.Header.Get("Node"), err
}

// more waits for n more requests.
func (l *webLoad) more(t *testing.T, n int64) {
	t.Helper()
	from := l.requests.Load()
	testkit.Eventually(t, patience+time.Duration(n)*10*time.Millisecond, fmt.Sprintf("%d requests are made", n),
		func() bool { return l.requests.Load() >= from+n })
}

// answered returns how many requests a node answered.
func (l *webLoad) answered(address string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.by[address]
}

// judge ends the load and holds what failed to the bounds.
func (l *webLoad) judge(t *testing.T, gets, posts int) {
	t.Helper()
	l.end()
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Logf("measured: %d requests, the longest %v", l.requests.Load(), time.Duration(l.longest.Load()).Round(time.Millisecond))
	for method, errs := range l.failed {
		t.Logf("the first failure of %s: %v", method, errs[0])
	}
	atMost(t, "failed requests that may be made again", len(l.failed[http.MethodGet]), gets)
	atMost(t, "failed requests that may not", len(l.failed[http.MethodPost]), posts)
}
