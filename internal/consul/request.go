package consul

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// MaxAnswer bounds an answer of an agent, in bytes. 10,000 nodes with ten endpoints
// each take a third of it.
const MaxAnswer = 128 << 20

// maxRefusal bounds what is read of an answer that is an error.
const maxRefusal = 4 << 10

// request is one call of the API.
type request struct {
	doing  string // "register node \"a\"", for errors
	needs  string // the right it takes, as `service:write on "x"`, for errors
	method string
	path   string // escaped
	query  url.Values
	body   any           // nil for none
	also   []int         // statuses beside 200 whose answer is what was asked for
	within time.Duration // bound of one attempt; zero means the timeout of the client
	reads  bool          // of the catalog, which there is one of in each datacenter
}

// do sends r to the agents, one after the other until one answers, and decodes the
// answer into out unless that is nil.
func (c *Client) do(ctx context.Context, r request, out any) (http.Header, error) {
	if c.err != nil {
		return nil, fmt.Errorf("%s: %w", r.doing, c.err)
	}
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, fmt.Errorf("%s: %w", r.doing, err)
		}
	}
	within := r.within
	if within == 0 {
		within = c.config.timeout()
	}
	var failed []error
	for left := len(c.agents); left > 0; left-- {
		a := c.preferred()
		c.requests.Add(1)
		header, err := c.attempt(ctx, a, r, body, share(ctx, within, left), out)
		if err == nil {
			return header, nil
		}
		c.failures.Add(1)
		if status := (*StatusError)(nil); ctx.Err() == nil && errors.As(err, &status) && !status.stranger {
			// An agent answered; the others would say the same.
			return nil, fmt.Errorf("%s: %w", r.doing, err)
		}
		if ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded) {
			c.failed(a)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s: ask Consul at %q: %w", r.doing, a.text, Over(ctx))
		}
		failed = append(failed, err)
	}
	return nil, fmt.Errorf("%s: %w", r.doing, joined(failed))
}

// joined writes errors of several agents into one line.
func joined(failed []error) error {
	if len(failed) == 1 {
		return failed[0]
	}
	err := failed[0]
	for _, next := range failed[1:] {
		err = fmt.Errorf("%w; %w", err, next)
	}
	return err
}

// share returns how long an attempt may take, so that there is time for the others of
// which so many are left with it.
func share(ctx context.Context, within time.Duration, left int) time.Duration {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		return min(within, time.Until(deadline)/time.Duration(left))
	}
	return within
}

// Over returns why ctx is over: its cause, in which its error is found in any case.
func Over(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// attempt sends r to one agent.
func (c *Client) attempt(ctx context.Context, a *agent, r request, body []byte, within time.Duration, out any) (http.Header, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("no answer within %v: %w", within, context.DeadlineExceeded))
	defer cancel()
	query := url.Values{}
	maps.Copy(query, r.query)
	if r.reads && c.config.Datacenter != "" {
		query.Set("dc", c.config.Datacenter)
	}
	address := a.scheme + "://" + a.host + r.path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask Consul at %q: %w", a.text, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if err := c.authorize(req); err != nil {
		return nil, fmt.Errorf("ask Consul at %q: %w", a.text, err)
	}
	answer, err := a.http.Do(req)
	if err != nil {
		return nil, explain(a.target, err, context.Cause(ctx))
	}
	defer answer.Body.Close()
	asked := slices.Contains(r.also, answer.StatusCode) && strings.Contains(contentType(answer), "json")
	if answer.StatusCode != http.StatusOK && !asked {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // what there is, is told
		return nil, refused(a.target, r.needs, answer, string(text))
	}
	if out == nil {
		return answer.Header, nil
	}
	if err := decode(answer, cmp.Or(c.config.most, MaxAnswer), out); err != nil {
		if ctx.Err() != nil {
			return nil, explain(a.target, err, context.Cause(ctx))
		}
		return nil, stranger(a.target, answer, err)
	}
	return answer.Header, nil
}

// authorize adds the token, and the login at what is before the agent.
func (c *Client) authorize(req *http.Request) error {
	token, err := c.secret()
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("X-Consul-Token", token)
	}
	if user := c.config.Username; user != "" {
		password := c.config.Password
		if c.password != nil {
			var err error
			if password, err = c.password.Get(); err != nil {
				return err
			}
		}
		req.SetBasicAuth(user, password)
	}
	return nil
}

// secret returns the token to show, "" for none.
func (c *Client) secret() (string, error) {
	token := c.config.Token
	if c.token != nil {
		var err error
		if token, err = c.token.Get(); err != nil {
			return "", fmt.Errorf("read the token: %w", err)
		}
	}
	return strings.TrimSpace(token), nil
}

// errTooLarge says that an answer is above MaxAnswer.
var errTooLarge = fmt.Errorf("the answer is larger than %d MiB", MaxAnswer>>20)

// decode reads an answer of at most so many bytes into out.
func decode(answer *http.Response, most int64, out any) error {
	body := &io.LimitedReader{R: answer.Body, N: most + 1}
	err := json.NewDecoder(body).Decode(out)
	if body.N <= 0 {
		return errTooLarge
	}
	if err == nil {
		_, err = io.Copy(io.Discard, body) // so that the connection can be used again
	}
	return err
}
