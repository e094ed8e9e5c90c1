package http

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/broker"
	merrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/excerpt"
	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

const (
	// answerTimeout is how long a subscription of ours may take to answer, which waits
	// for room in its queue for defaults.PublishTimeout at most.
	answerTimeout = 2 * defaults.PublishTimeout
	// v2AnswerTimeout is the same for one of v2, which answers when its handler has
	// returned.
	v2AnswerTimeout = time.Minute
	// answerLimit is how much of an answer is read.
	answerLimit = 64 << 10
	// connsPerNode is how many idle connections to one node are kept.
	connsPerNode = workersPerQueue
)

// Why a message was not taken. Whether it can be posted again is a question of which of
// these an error wraps.
var (
	// errNotTaken: it is sure not to be taken, and may be later, or by somebody else.
	errNotTaken = errors.New("not taken")
	// errNotReached is errNotTaken by who cannot be reached at all.
	errNotReached = fmt.Errorf("%w, not reached", errNotTaken)
	// errGone: the subscription is not there any more.
	errGone = errors.New("the subscription has ended")
	// errUnsure: nobody knows whether it was taken.
	errUnsure = errors.New("it may have been taken")
)

// wait is the time between two attempts.
var wait = backoff.Backoff{Base: 50 * time.Millisecond, Max: time.Second}

// newClient returns what posts. It follows nothing that an answer says.
func newClient(config *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: defaults.NodeConnectTimeout, KeepAlive: 15 * time.Second}).DialContext,
			TLSClientConfig:     config.Clone(),
			TLSHandshakeTimeout: defaults.HandshakeTimeout,
			ForceAttemptHTTP2:   true,
			DisableCompression:  true,
			MaxIdleConnsPerHost: connsPerNode,
			// Below the time after which a receiver of ours closes an idle connection.
			IdleConnTimeout:        idleTimeout - 30*time.Second,
			MaxResponseHeaderBytes: answerLimit,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// target is where a subscription is posted to.
type target struct {
	id, address string
	url         string
	ours        bool // it is of this framework: it answers soon, and knows what it has seen
}

// newTarget returns the target of a node, whose record anybody may have written.
func newTarget(n *registry.Node) (target, error) {
	if err := netaddr.Check(n.Address, true); err != nil {
		return target{}, fmt.Errorf("read the address %q: %w", excerpt.Of(n.Address, 200), err)
	}
	u := url.URL{Scheme: "http", Host: n.Address, Path: broker.DefaultPath, RawQuery: url.Values{"id": {n.Id}}.Encode()}
	if n.Metadata[secureKey] == "true" {
		u.Scheme = "https"
	}
	return target{id: n.Id, address: n.Address, url: u.String(), ours: n.Metadata[record.Mark] != ""}, nil
}

// post posts a message once. The error wraps one of those above if posting it again may
// make sense.
func (p *publisher) post(ctx context.Context, t target, m *outgoing) error {
	limit := v2AnswerTimeout
	if t.ours {
		limit = answerTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(m.body))
	if err != nil {
		return fmt.Errorf("post to %q: %w", t.id, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if t.ours {
		req.Header.Set(keyHeader, m.key)
	}
	rsp, err := p.client.Do(req)
	switch {
	case err == nil:
	case wrote.Load():
		return fmt.Errorf("%w: %w", errUnsure, err)
	default:
		p.directory.Failed(t.address)
		return fmt.Errorf("%w: %w", errNotReached, err)
	}
	defer rsp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(rsp.Body, answerLimit)) // so that the connection can be used again
	return outcome(t, rsp.StatusCode, string(answer))
}

// outcome returns what an answer says.
func outcome(t target, status int, answer string) error {
	if status/100 == 2 {
		return nil
	}
	text := excerpt.Of(merrors.Parse(answer).Detail, 200)
	err := fmt.Errorf("post to %q at %s: answered %d: %s", t.id, t.address, status, text)
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w", errNotTaken, err)
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

// again waits before a message is posted once more, the n-th time, n from 0. It reports
// false if that is not to be, because ctx or the message's time is over.
func (m *outgoing) again(ctx context.Context, n int) bool {
	delay := wait.Next(n)
	if time.Now().Add(delay).After(m.until) {
		return false
	}
	return backoff.Wait(ctx, delay) == nil
}
