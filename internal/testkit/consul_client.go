package testkit

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// ConsulError is an answer of Consul whose status is not 200.
type ConsulError struct {
	Status int
	Text   string
}

// Error implements error.
func (e *ConsulError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Text) }

// Do sends a request of the operator's own, with the management token if there are
// tokens, and returns the body of the answer. It fails the test unless the answer's
// status is 200. A body that is not nil is sent as JSON.
func (c *Consul) Do(t testing.TB, method, path string, body any) []byte {
	t.Helper()
	answer, err := c.Try(t, method, path, body)
	if err != nil {
		t.Fatalf("%s %s on consul %s: %v", method, path, c.addr, err)
	}
	return answer
}

// Try is Do that returns the error.
func (c *Consul) Try(t testing.TB, method, path string, body any) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	return c.request(ctx, method, path, body)
}

// Get is Do of a GET whose answer is decoded into v.
func (c *Consul) Get(t testing.TB, path string, v any) {
	t.Helper()
	if err := json.Unmarshal(c.Do(t, http.MethodGet, path, nil), v); err != nil {
		t.Fatalf("read the answer to %s: %v", path, err)
	}
}

// TLS returns what a client needs to trust this agent, and a client certificate
// where one is demanded. It is nil without TLS.
func (c *Consul) TLS(t testing.TB) *tls.Config {
	t.Helper()
	conf, err := c.tls()
	if err != nil {
		t.Fatalf("make a client certificate: %v", err)
	}
	return conf
}

func (c *Consul) tls() (*tls.Config, error) {
	if c.ca == nil {
		return nil, nil
	}
	conf := c.ca.trust()
	if c.clientCerts {
		own, err := c.ca.certify(Subject{Name: "client"})
		if err != nil {
			return nil, err
		}
		conf.Certificates = []tls.Certificate{own}
	}
	return conf, nil
}

// request sends one request over a connection of its own.
func (c *Consul) request(ctx context.Context, method, path string, body any) ([]byte, error) {
	var sent io.Reader
	if body != nil {
		sent = jsonBody(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.URL()+path, sent)
	if err != nil {
		return nil, err
	}
	if c.acl {
		r.Header.Set("X-Consul-Token", ManagementToken)
	}
	conf, err := c.tls()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, &ConsulError{answer.StatusCode, strings.TrimSpace(string(text))}
	}
	return text, nil
}

// jsonBody returns v as JSON, or a reader of the error that this is not possible.
func jsonBody(v any) io.Reader {
	text, err := json.Marshal(v)
	if err != nil {
		return iotest.ErrReader(err)
	}
	return bytes.NewReader(text)
}

// ready asks until the agent is in its catalogue, the process has ended or the time
// is up.
func (c *Consul) ready() (time.Time, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	p := c.process()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	var last error
	for ctx.Err() == nil {
		if last = c.inCatalogue(ctx); last == nil {
			return time.Now(), nil
		}
		waitFor(ctx, 10*time.Millisecond)
	}
	if !p.alive() {
		return time.Time{}, fmt.Errorf("the process has ended: %w", last)
	}
	return time.Time{}, last
}

// inCatalogue asks, for two seconds at most, whether a leader has put the agent into
// the catalogue.
func (c *Consul) inCatalogue(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	text, err := c.request(ctx, http.MethodGet, "/v1/health/node/"+c.node, nil)
	if err != nil {
		return err
	}
	var checks []struct{ CheckID, Status string }
	if err := json.Unmarshal(text, &checks); err != nil {
		return err
	}
	for _, check := range checks {
		if check.CheckID == "serfHealth" && check.Status == "passing" {
			return nil
		}
	}
	return errors.New("the agent is not in its catalogue")
}
