package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/refusal"
)

// Explain adds to err the operation, the cause as far as the state of the
// connection shows it, and the addresses. It keeps err in the chain. The
// explanation of nil is nil.
func (c *Conn) Explain(op string, err error) error {
	return c.explain(op, err, 0)
}

// explain is Explain with the time that was waited in vain, 0 if unknown.
func (c *Conn) explain(op string, err error, waited time.Duration) error {
	switch {
	case err == nil:
		return nil
	case c.err != nil:
		return fmt.Errorf("%s: %w", op, c.err)
	case errors.Is(err, ErrClosed):
		return fmt.Errorf("%s: %w", op, ErrClosed)
	case c.ctx.Err() != nil && !TimedOut(err):
		return fmt.Errorf("%s: %w: %w", op, ErrClosed, err)
	}
	err = marked(err)
	where := "etcd at " + strings.Join(c.Addrs(), ", ")
	why := c.Link().Err
	if why != nil && errors.Is(err, why) {
		why = nil
	}
	switch {
	case TimedOut(err):
		if !errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("%w: %w", err, context.DeadlineExceeded)
		}
		silence := "no answer in time"
		if waited > 0 {
			silence = fmt.Sprintf("no answer within %v", waited.Round(10*time.Millisecond))
		}
		if why != nil {
			return fmt.Errorf("%s: %s: %s: %w: %w", op, where, silence, why, err)
		}
		return fmt.Errorf("%s: %s: %s: %w", op, where, silence, err)
	case refusal.Of(err) == refusal.Right && c.auth != nil:
		return fmt.Errorf("%s: %s: user %q lacks the permission: %w", op, where, c.cfg.Username, err)
	case refusal.Of(err) == refusal.Right:
		return fmt.Errorf("%s: %s: the user of the client certificate lacks the permission: %w", op, where, err)
	case refusal.Of(err) == refusal.Login && c.auth == nil && c.cfg.Client == nil:
		return fmt.Errorf("%s: %s: it wants a user and a password, and none are given: %w", op, where, err)
	case errors.Is(err, rpctypes.ErrNoSpace):
		return fmt.Errorf("%s: %s: its database is full (alarm NOSPACE), make room with etcdctl compact, etcdctl defrag and etcdctl alarm disarm: %w", op, where, err)
	case why != nil && status.Code(err) == codes.Unavailable:
		return fmt.Errorf("%s: %s: %w: %w", op, where, why, err)
	}
	return fmt.Errorf("%s: %s: %w", op, where, err)
}

// marked marks err with the kind of refusal that it is, if it is one, and otherwise
// returns it as it is.
func marked(err error) error {
	known := rpctypes.Error(err)
	is := func(target error) bool { return errors.Is(err, target) || errors.Is(known, target) }
	switch {
	case is(rpctypes.ErrPermissionDenied):
		return refusal.Mark(refusal.Right, err)
	case is(rpctypes.ErrAuthFailed), is(rpctypes.ErrUserEmpty), is(rpctypes.ErrUserNotFound), is(rpctypes.ErrInvalidAuthToken):
		return refusal.Mark(refusal.Login, err)
	}
	return err
}

// TimedOut reports whether err is a deadline that passed, be it told by the
// context or by grpc.
func TimedOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded
}
