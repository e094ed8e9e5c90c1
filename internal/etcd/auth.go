package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/internal/reload"
)

// authEvery is the least time between two authentications: they are the most
// expensive request that etcd knows, and many programs may have the same wrong
// password.
const authEvery = time.Second

// auth obtains the token of a user, adds it to every request and stream, and
// obtains a new one when etcd no longer takes it. One token serves them all, over
// all connections, until etcd refuses it.
type auth struct {
	conn     *Conn
	password *reload.Password // nil: it is in the configuration

	mu      sync.Mutex
	ok      bool // token is believed to be good
	token   string
	login   *login    // under way, or nil
	refused error     // the last answer, if it was a refusal
	last    time.Time // of the last answer
}

// login is one authentication that many may wait for. err may be read when
// done is closed.
type login struct {
	done chan struct{}
	err  error
}

func newAuth(c *Conn) *auth {
	a := &auth{conn: c}
	if c.cfg.PasswordFile != "" {
		a.password = reload.NewPassword(c.cfg.PasswordFile, c.cfg.Warn)
	}
	return a
}

// valid returns a token that etcd is not known to refuse. It waits for etcd until
// ctx is done, but not longer than for the next refusal of the credentials. A
// refusal of a moment ago is returned again, without asking.
func (a *auth) valid(ctx context.Context) (string, error) {
	for {
		a.mu.Lock()
		if a.ok {
			defer a.mu.Unlock()
			return a.token, nil
		}
		if a.refused != nil && time.Since(a.last) < authEvery {
			defer a.mu.Unlock()
			return "", a.refused
		}
		if a.login == nil {
			try := &login{done: make(chan struct{})}
			if !a.conn.Go(func(ctx context.Context) { a.run(ctx, try) }) {
				a.mu.Unlock()
				return "", ErrClosed
			}
			a.login = try
		}
		try := a.login
		a.mu.Unlock()
		select {
		case <-try.done:
			if try.err != nil {
				return "", try.err
			}
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// discard says that etcd refused the token.
func (a *auth) discard(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == token {
		a.ok = false
	}
}

// run authenticates and ends when etcd has answered.
func (a *auth) run(ctx context.Context, try *login) {
	a.mu.Lock()
	delay := authEvery - time.Since(a.last)
	a.mu.Unlock()
	var token string
	var err error
	for wait(ctx, delay) {
		if token, err = a.authenticate(ctx); !unanswered(err) {
			break
		}
		delay = defaults.EtcdBaseDelay
	}
	if ctx.Err() != nil {
		err = ErrClosed
	} else if err != nil {
		err = fmt.Errorf("authentication failed for user %q: %w", a.conn.cfg.Username, marked(err))
	}
	a.conn.link.refused(err)
	a.mu.Lock()
	a.ok, a.token, a.login, a.refused, a.last = err == nil, token, nil, err, time.Now()
	a.mu.Unlock()
	try.err = err
	close(try.done)
}

func (a *auth) authenticate(ctx context.Context) (string, error) {
	client, err := a.conn.start()
	if err != nil {
		return "", err
	}
	password := a.conn.cfg.Password
	if a.password != nil {
		if password, err = a.password.Get(); err != nil {
			return "", refusal.Mark(refusal.Mismatch, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, a.conn.timeout)
	defer cancel()
	a.conn.counters.Authentications.Add(1)
	resp, err := client.Authenticate(ctx, a.conn.cfg.Username, password)
	if errors.Is(err, rpctypes.ErrAuthNotEnabled) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return resp.Token, nil
}

// unanswered reports whether err means that etcd did not decide.
func unanswered(err error) bool {
	if err == nil {
		return false
	}
	switch status.Code(rpctypes.Error(err)) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true
	}
	if known, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		return known.Code() == codes.Unavailable
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// stale reports whether etcd refused a request because of its token.
func stale(err error) bool {
	err = rpctypes.Error(err)
	return errors.Is(err, rpctypes.ErrInvalidAuthToken) ||
		errors.Is(err, rpctypes.ErrAuthOldRevision) ||
		errors.Is(err, rpctypes.ErrUserEmpty)
}

// withToken returns ctx with the token, if there is one, in the metadata that go
// out with a request. It replaces the one that is there.
func withToken(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	md = md.Copy()
	md.Set(rpctypes.TokenFieldNameGRPC, token)
	return metadata.NewOutgoingContext(ctx, md)
}

func (a *auth) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if method == etcdserverpb.Auth_Authenticate_FullMethodName {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	token, err := a.valid(ctx)
	if err != nil {
		return err
	}
	err = invoke(withToken(ctx, token), method, req, reply, cc, opts...)
	if !stale(err) {
		return err
	}
	a.discard(token)
	if token, err = a.valid(ctx); err != nil {
		return err
	}
	return invoke(withToken(ctx, token), method, req, reply, cc, opts...)
}

// stream opens a stream with a valid token. etcd looks at a stream's token again
// whenever a watch is added to it: see Conn.Watching.
func (a *auth) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	token, err := a.valid(ctx)
	if err != nil {
		return nil, err
	}
	return open(withToken(ctx, token), desc, cc, method, opts...)
}
