package authcall_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/client"
	merrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/authcall"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// judge is an Auth that answers as it is told.
type judge struct {
	auth.Auth
	account *auth.Account // that every token is for
	verdict error
	res     *auth.Resource // that was judged last

	mu      sync.Mutex
	options auth.Options
	tokens  int // made
	fails   error
}

func (j *judge) Options() auth.Options { j.mu.Lock(); defer j.mu.Unlock(); return j.options }

func (j *judge) Init(opts ...auth.Option) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range opts {
		o(&j.options)
	}
}

func (j *judge) Inspect(text string) (*auth.Account, error) {
	if text != "good" {
		return nil, auth.ErrInvalidToken
	}
	return j.account, nil
}

func (j *judge) Verify(_ *auth.Account, res *auth.Resource, _ ...auth.VerifyOption) error {
	j.res = res
	return j.verdict
}

func (j *judge) Generate(id string, _ ...auth.GenerateOption) (*auth.Account, error) {
	return &auth.Account{ID: id, Secret: "s"}, j.fails
}

func (j *judge) Token(opts ...auth.TokenOption) (*auth.Token, error) {
	o := auth.NewTokenOptions(opts...)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fails != nil {
		return nil, j.fails
	}
	j.tokens++
	name := o.ID + o.RefreshToken + string(rune('0'+j.tokens))
	return &auth.Token{AccessToken: name, RefreshToken: "r", Created: time.Now(), Expiry: time.Now().Add(o.Expiry)}, nil
}

type request struct {
	server.Request
	endpoint string
}

func (request) Service() string    { return "notes" }
func (r request) Endpoint() string { return r.endpoint }

func TestHandler(t *testing.T) {
	jane := &auth.Account{ID: "jane", Issuer: "shop"}
	for name, tt := range map[string]struct {
		judge    auth.Auth
		header   string // Authorization
		endpoint string
		code     int32 // of the error, 0 for none
		detail   string
		account  bool // the handler finds it
	}{
		"without a token":         {judge: &judge{}, endpoint: "Notes.Read"},
		"with one":                {judge: &judge{account: jane}, header: "Bearer good", endpoint: "Notes.Read", account: true},
		"refused without":         {judge: &judge{verdict: auth.ErrForbidden}, endpoint: "Notes.Read", code: http.StatusUnauthorized, detail: "Unauthorized call made to notes:Notes.Read"},
		"refused with one":        {judge: &judge{verdict: auth.ErrForbidden, account: jane}, header: "Bearer good", endpoint: "Notes.Read", code: http.StatusForbidden, detail: "Forbidden call made to notes:Notes.Read by jane"},
		"an invalid one is none":  {judge: &judge{account: jane}, header: "Bearer bad", endpoint: "Notes.Read"},
		"refused with a bad one":  {judge: &judge{verdict: auth.ErrForbidden}, header: "Bearer bad", endpoint: "Notes.Read", code: http.StatusUnauthorized, detail: "Unauthorized call made to notes:Notes.Read"},
		"another scheme":          {judge: &judge{}, header: "Basic x", endpoint: "Notes.Read", code: http.StatusUnauthorized, detail: "invalid authorization header. expected Bearer schema"},
		"another issuer":          {judge: &judge{account: &auth.Account{Issuer: "other"}}, header: "Bearer good", endpoint: "Notes.Read", code: http.StatusForbidden, detail: "Account was not issued by shop"},
		"issued by go.micro":      {judge: &judge{account: &auth.Account{Issuer: "go.micro"}}, header: "Bearer good", endpoint: "Notes.Read", account: true},
		"v2's tools":              {judge: &judge{verdict: auth.ErrForbidden}, endpoint: "Debug.Health"},
		"v2's tools that count":   {judge: &judge{verdict: auth.ErrForbidden}, endpoint: "Debug.Stats"},
		"who wants to read logs":  {judge: &judge{verdict: auth.ErrForbidden}, endpoint: "Debug.Log", code: http.StatusUnauthorized, detail: "Unauthorized call made to notes:Debug.Log"},
		"nobody judges":           {judge: auth.NewAuth(), header: "Basic x", endpoint: "Notes.Read"},
		"an Auth around nobody's": {judge: struct{ auth.Auth }{auth.NewAuth(auth.Namespace("shop"))}, header: "Bearer x", endpoint: "Notes.Read", account: true},
	} {
		tt.judge.Init(auth.Namespace("shop"))
		ctx := t.Context()
		if tt.header != "" {
			ctx = metadata.Set(ctx, "Authorization", tt.header)
		}
		if name == "another issuer" { // what the caller says of itself is no evidence
			ctx = metadata.Set(ctx, "Micro-Namespace", "other")
		}
		called, account := false, false
		h := authcall.Handler(func() auth.Auth { return tt.judge })(func(ctx context.Context, _ server.Request, _ any) error {
			called = true
			_, account = auth.AccountFromContext(ctx)
			return nil
		})
		err := h(ctx, request{endpoint: tt.endpoint}, nil)
		if called != (tt.code == 0) || account != tt.account {
			t.Errorf("%s: called %v with an account %v", name, called, account)
		}
		var said *merrors.Error
		if tt.code == 0 && err != nil || tt.code != 0 && (!errors.As(err, &said) || said.Code != tt.code || said.Detail != tt.detail || said.Id != "notes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// sent is a client that notes the metadata of its calls.
type sent struct {
	client.Client
	md metadata.Metadata
}

func (s *sent) Call(ctx context.Context, _ client.Request, _ any, _ ...client.CallOption) error {
	s.md, _ = metadata.FromContext(ctx)
	return nil
}

func (s *sent) Stream(ctx context.Context, _ client.Request, _ ...client.CallOption) (client.Stream, error) {
	s.md, _ = metadata.FromContext(ctx)
	return nil, nil
}

func TestClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &judge{options: auth.Options{Namespace: "shop"}}
		to := &sent{}
		c := authcall.Client(func() auth.Auth { return j }, func() string { return "notes-1" }, to)
		shown := func(ctx context.Context, opts ...client.CallOption) string {
			t.Helper()
			if err := c.Call(ctx, nil, nil, opts...); err != nil {
				t.Fatal(err)
			}
			return to.md["Authorization"]
		}
		if got := shown(t.Context()); got != "Bearer notes-11" || to.md["Micro-Namespace"] != "shop" {
			t.Errorf("showed %q in %v", got, to.md)
		}
		if _, err := c.Stream(t.Context(), nil); err != nil || to.md["Authorization"] != "Bearer notes-11" {
			t.Errorf("a stream showed %v, %v", to.md, err)
		}
		theirs := metadata.Set(t.Context(), "authorization", "Bearer theirs")
		if got := shown(theirs); got != "Bearer theirs" {
			t.Errorf("in place of the caller's, showed %q", got)
		}
		if got := shown(theirs, client.WithServiceToken()); got != "Bearer notes-11" {
			t.Errorf("asked for its own, showed %q", got)
		}
		time.Sleep(9*time.Minute + time.Second)
		if got := shown(t.Context()); got != "Bearer r2" {
			t.Errorf("before its end, showed %q", got)
		}
		j.mu.Lock()
		j.fails = errors.New("away")
		j.mu.Unlock()
		time.Sleep(9*time.Minute + time.Second)
		if got := shown(t.Context()); got != "Bearer r2" {
			t.Errorf("without another, showed %q", got)
		}
		time.Sleep(2 * time.Minute)
		if got := shown(t.Context()); got != "" {
			t.Errorf("after its end, showed %q", got)
		}
		j.mu.Lock()
		j.fails = nil
		j.mu.Unlock()
		time.Sleep(15 * time.Second)
		if got := shown(t.Context()); got != "Bearer r3" {
			t.Errorf("once there is one again, showed %q", got)
		}
		own := &auth.Token{AccessToken: "mine", Expiry: time.Now().Add(30 * time.Second)}
		j.Init(auth.ClientToken(own))
		if got := shown(t.Context()); got != "Bearer mine" {
			t.Errorf("given one, showed %q", got)
		}
	})
}

func TestNobodyJudges(t *testing.T) {
	to := &sent{}
	for _, a := range []auth.Auth{nil, auth.NewAuth(auth.Namespace("shop"))} {
		c := authcall.Client(func() auth.Auth { return a }, nil, to)
		if err := c.Call(t.Context(), nil, nil); err != nil || len(to.md) != 0 {
			t.Errorf("sent %v, %v", to.md, err)
		}
	}
}

func TestManyCallsMakeOneToken(t *testing.T) {
	j := &judge{}
	c := authcall.Client(func() auth.Auth { return j }, func() string { return "n" }, silent{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { _ = c.Call(t.Context(), nil, nil) })
	}
	wg.Wait()
	if j.tokens != 1 {
		t.Errorf("made %d tokens", j.tokens)
	}
}

type silent struct{ client.Client }

func (silent) Call(context.Context, client.Request, any, ...client.CallOption) error { return nil }
