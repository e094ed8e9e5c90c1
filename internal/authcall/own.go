package authcall

import (
	stderrors "errors"
	"sync"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/token"
	"github.com/rollcall-go/micro/logger"
)

const (
	// ownTime is how long a token of a service is valid, ownRest how much is left of that
	// when the next one is made.
	ownTime, ownRest = 10 * time.Minute, time.Minute
	// ownRetry is the time between two attempts to make one.
	ownRetry = 15 * time.Second
)

// own makes the token of a service when a call needs one.
type own struct {
	account func() string // its name, for an Auth that was given no credentials; nil: none is made

	mu      sync.Mutex // held by who makes one
	made    *auth.Token
	retry   time.Time
	problem string // of the last attempt
}

// token returns the token to show, "" if there is none. A call waits for a token to be made
// only if there is none that is valid.
func (o *own) token(a auth.Auth) string {
	t := a.Options().Token
	valid := t != nil && t.AccessToken != "" && !t.Expired()
	if valid && time.Until(t.Expiry) > ownRest {
		return t.AccessToken
	}
	if o.account == nil || valid && !o.mu.TryLock() {
		return text(t, valid)
	}
	if !valid {
		o.mu.Lock()
	}
	defer o.mu.Unlock()
	if now := a.Options().Token; now != t { // somebody was faster
		return text(now, now != nil && !now.Expired())
	}
	if valid && t != o.made || time.Now().Before(o.retry) { // the program's own is the program's to renew
		return text(t, valid)
	}
	next, err := o.next(a)
	if err != nil {
		o.retry = time.Now().Add(ownRetry)
		o.tell(a, err)
		return text(t, valid)
	}
	o.made, o.problem = next, ""
	a.Init(auth.ClientToken(next))
	return next.AccessToken
}

func text(t *auth.Token, valid bool) string {
	if !valid {
		return ""
	}
	return t.AccessToken
}

// next makes the next token: for the last one, for the credentials that the Auth was given,
// or for an account that is made for the service.
func (o *own) next(a auth.Auth) (*auth.Token, error) {
	if o.made != nil && o.made.RefreshToken != "" {
		if t, err := a.Token(auth.WithToken(o.made.RefreshToken), auth.WithExpiry(ownTime)); err == nil {
			return t, nil
		}
	}
	id, secret := a.Options().ID, a.Options().Secret
	if id == "" || secret == "" {
		acc, err := a.Generate(o.account(), auth.WithType("service"), auth.WithScopes("service"))
		if err != nil {
			return nil, err
		}
		id, secret = acc.ID, acc.Secret
	}
	return a.Token(auth.WithCredentials(id, secret), auth.WithExpiry(ownTime))
}

// tell says why there is no token, once for each reason. A service without a key to sign
// with is meant to have none.
func (o *own) tell(a auth.Auth, err error) {
	if err.Error() == o.problem {
		return
	}
	o.problem = err.Error()
	level := logger.WarnLevel
	if stderrors.Is(err, token.ErrEncodingToken) {
		level = logger.DebugLevel
	}
	logger.Logf(level, "Auth [%s] Calls show no token of this service: %v", a, err)
}
