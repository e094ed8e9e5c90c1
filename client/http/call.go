package http

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/mem"
	grpcmd "google.golang.org/grpc/metadata"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	microerrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/attempt"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/registry"
)

// Call posts the request to a node of the service and decodes the answer into rsp. All
// attempts together end with the deadline of ctx, or after the request timeout where it
// has none.
func (c *httpClient) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	switch {
	case req == nil:
		return failure("req is nil", nil)
	case rsp == nil:
		return failure("rsp is nil", nil)
	}
	s := c.current.Load()
	if !s.rt.start() {
		return failure(client.ErrClosed.Error(), client.ErrClosed)
	}
	co, given := client.ApplyCallOptions(s.opts.CallOptions, opts...)
	_, bounded := ctx.Deadline()
	if (given&client.SettingRequestTimeout != 0 || !bounded) && co.RequestTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, co.RequestTimeout)
		defer cancel()
	}
	if deadline, bounded := ctx.Deadline(); bounded {
		co.RequestTimeout = time.Until(deadline)
	}
	if err := ctx.Err(); err != nil {
		return timeout(err)
	}
	return c.attempts(ctx, s, req, rsp, co)
}

// attempts tries the call until it succeeds or may not be tried again.
func (c *httpClient) attempts(ctx context.Context, s *state, req client.Request, rsp any, co client.CallOptions) error {
	invoke := s.invoke
	if len(co.CallWrappers) != len(s.opts.CallOptions.CallWrappers) {
		invoke = wrap(c.attempt(s), co.CallWrappers)
	}
	nodes := succession{rt: s.rt, service: req.Service()}
	if len(co.Address) > 0 {
		nodes.custom = addresses(co.Address)
	} else if err := nodes.begin(ctx, co.SelectOptions); err != nil {
		return selectError(ctx, req.Service(), err)
	}
	budget, idempotent, last := s.rt.budget(req.Service()), client.Idempotent(req, &co), ""
	budget.Call()
	for i := 0; ; i++ {
		to, err := nodes.next(ctx)
		if err != nil {
			return selectError(ctx, req.Service(), err)
		}
		if to.Node.Address == last { // there is no other
			if err := backOff(ctx, req, i, co.Backoff); err != nil {
				return selectError(ctx, req.Service(), err)
			}
		}
		last = to.Node.Address
		err = invoke(ctx, to.Node, req, rsp, co)
		if len(co.Address) == 0 {
			nodes.mark(to.Node, err)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		unwritten := endpoint.Unwritten(err)
		retry := co.Retry
		if retry == nil {
			retry = client.DefaultRetry
		}
		again, rerr := retry(attempt.Mark(ctx, attempt.Facts{Unrun: unwritten, Idempotent: idempotent}), req, i, err)
		switch {
		case rerr != nil:
			return rerr
		case !again || i >= co.Retries || !unwritten && !budget.Take(now()):
			return err
		}
	}
}

// addresses yields the addresses that the program named, in turn.
func addresses(all []string) selector.Next {
	i := -1
	return func() (*registry.Node, error) {
		i++
		return &registry.Node{Address: all[i%len(all)]}, nil
	}
}

// attempt returns the func that makes one attempt, on a given node.
func (c *httpClient) attempt(s *state) client.CallFunc {
	return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, co client.CallOptions) error {
		hreq, codec, err := c.post(ctx, req, co)
		if err != nil {
			return err
		}
		conn, err := s.rt.connect(req.Service(), node)
		if err != nil {
			err = &endpoint.ConnectError{Address: node.Address, Err: err}
			return failure(err.Error(), err)
		}
		hrsp, out := s.rt.try(hreq, pick.Target{Node: node, Conn: conn}, client.Idempotent(req, &co))
		if out.err != nil {
			if why := ctx.Err(); why != nil {
				return timeout(why)
			}
			return failure(out.err.Error(), out.err)
		}
		return read(ctx, hrsp, req, codec, rsp)
	}
}

// post returns the HTTP request of a call.
func (c *httpClient) post(ctx context.Context, req client.Request, co client.CallOptions) (*http.Request, *rpc.Codec, error) {
	codec, err := c.codecs.Find(req.ContentType())
	if err != nil {
		return nil, nil, failure(err.Error(), err)
	}
	data, err := codec.Marshal(req.Body())
	if err != nil {
		return nil, nil, failure(fmt.Sprintf("encode the request to %s %q, content type %q: %v", req.Service(), req.Endpoint(), req.ContentType(), err), err)
	}
	defer data.Free()
	at, err := url.Parse("http://host/" + strings.TrimPrefix(req.Endpoint(), "/"))
	if err != nil {
		return nil, nil, failure(fmt.Sprintf("read the endpoint %q as a path: %v", req.Endpoint(), err), err)
	}
	hreq, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://host/", bytes.NewReader(data.Materialize()))
	if err != nil {
		return nil, nil, failure(err.Error(), err)
	}
	at.Host, hreq.URL, hreq.Host = req.Service(), at, req.Service()
	out, _ := rpc.Outgoing(ctx)
	md, _ := grpcmd.FromOutgoingContext(out)
	for name, values := range md {
		if strings.HasSuffix(name, "-bin") {
			values[0] = base64.StdEncoding.EncodeToString([]byte(values[0]))
		}
		hreq.Header.Set(name, values[0])
	}
	hreq.Header.Set("Timeout", strconv.FormatInt(int64(co.RequestTimeout), 10))
	hreq.Header.Set("Content-Type", req.ContentType())
	return hreq, codec, nil
}

// read decodes an answer.
func read(ctx context.Context, hrsp *http.Response, req client.Request, codec *rpc.Codec, rsp any) error {
	defer hrsp.Body.Close()
	limit := DefaultMaxRecvMsgSize
	data, err := io.ReadAll(io.LimitReader(hrsp.Body, int64(limit)+1))
	switch {
	case ctx.Err() != nil:
		return timeout(ctx.Err())
	case err != nil:
		return failure(fmt.Sprintf("read the answer of %s %q: %v", req.Service(), req.Endpoint(), err), err)
	case len(data) > limit:
		return failure(fmt.Sprintf("read the answer of %s %q: it has more than %d bytes; allow more with DefaultMaxRecvMsgSize of client/http", req.Service(), req.Endpoint(), limit), nil)
	case hrsp.StatusCode >= http.StatusBadRequest:
		return answered(hrsp, string(data))
	case len(data) == 0:
		return nil
	}
	if err := codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, rsp); err != nil {
		return failure(fmt.Sprintf("decode the answer of %s %q, content type %q: %v", req.Service(), req.Endpoint(), req.ContentType(), err), err)
	}
	return nil
}

// answered returns the error for an answer that is one.
func answered(hrsp *http.Response, body string) error {
	e := microerrors.Parse(body)
	if e.GetCode() != 0 {
		return e
	}
	detail := rpc.Excerpt(strings.TrimSpace(body))
	if detail == "" {
		detail = hrsp.Status
	}
	return microerrors.New(rpc.ClientID, detail, int32(hrsp.StatusCode))
}

// failure returns an error that the client made, with code 500. The cause may be nil.
func failure(detail string, cause error) error {
	return microerrors.Wrap(rpc.ClientID, detail, http.StatusInternalServerError, cause)
}

// timeout returns the error of a call whose context is over.
func timeout(why error) error {
	return microerrors.Wrap(rpc.ClientID, why.Error(), http.StatusRequestTimeout, why)
}

// selectError returns the error of a call for which there is no node. The text begins
// as go-micro's always did, for programs that look at it.
func selectError(ctx context.Context, service string, err error) error {
	if why := ctx.Err(); why != nil {
		return microerrors.Wrap(rpc.ClientID, why.Error()+": "+err.Error(), http.StatusRequestTimeout, errors.Join(why, err))
	}
	reason := strings.TrimPrefix(err.Error(), fmt.Sprintf("service %q: ", service))
	if errors.Is(err, selector.ErrNotFound) {
		return failure(fmt.Sprintf("service %s: %s", service, reason), err)
	}
	return failure(fmt.Sprintf("error selecting %s node: %s", service, reason), err)
}
