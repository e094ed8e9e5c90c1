package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd"
)

// visit is what came of asking one address.
type visit struct {
	addr  string
	cfg   etcd.Config
	limit time.Duration
	begun time.Time
	found report

	conn   *etcd.Conn
	client *clientv3.Client
	token  string
	// asksCertificate is true if etcd asks for a client certificate.
	asksCertificate bool
	status          *etcdserverpb.StatusResponse // nil if it did not answer
}

// visitAll asks all addresses at once, each for no longer than limit. The visits
// are to be closed.
func visitAll(ctx context.Context, limit time.Duration, asked []etcd.Config) []*visit {
	visits := make([]*visit, len(asked))
	inParallel(len(asked), len(asked), func(i int) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		visits[i] = &visit{addr: asked[i].Addrs[0], cfg: asked[i], limit: limit.Round(time.Millisecond), begun: time.Now()}
		visits[i].run(ctx)
	})
	return visits
}

func closeAll(visits []*visit) {
	for _, v := range visits {
		if v.conn != nil {
			_ = v.conn.Close() // nothing was written that could be lost
		}
	}
}

// run goes up layer by layer and ends where one fails.
func (v *visit) run(ctx context.Context) {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", v.addr)
	if err != nil {
		v.dialled(err)
		return
	}
	var good bool
	v.asksCertificate, good = v.secured(ctx, raw)
	_ = raw.Close()
	if !good {
		return
	}

	plain := v.cfg
	plain.Username, plain.Password = "", ""
	v.conn = etcd.Open(plain)
	if v.client, err = v.conn.Client(ctx); err != nil {
		v.found.problem("etcd.error", v.addr, "correct the settings", "%v", err)
		return
	}
	if !v.login(ctx) {
		return
	}
	answer, err := etcdserverpb.NewMaintenanceClient(v.client.ActiveConnection()).Status(v.as(ctx), &etcdserverpb.StatusRequest{})
	if err != nil {
		v.failed(ctx, err)
		return
	}
	v.status = answer
	v.found.ok("etcd.answers", v.addr, "etcd %s, member %x, answers in %v", answer.Version, answer.GetHeader().GetMemberId(), millis(time.Since(v.begun)))
}

// as returns ctx with what v logged in with.
func (v *visit) as(ctx context.Context) context.Context {
	if v.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, rpctypes.TokenFieldNameGRPC, v.token)
}

// login obtains a token for the user, if there is one. It reports false when
// there is no use in going on.
func (v *visit) login(ctx context.Context) bool {
	if v.cfg.Username == "" || v.cfg.Password == "" {
		return true
	}
	// Not through the client, which would try again and again.
	answer, err := etcdserverpb.NewAuthClient(v.client.ActiveConnection()).Authenticate(ctx, &etcdserverpb.AuthenticateRequest{Name: v.cfg.Username, Password: v.cfg.Password})
	err = rpctypes.Error(err)
	switch {
	case err == nil:
		v.token = answer.Token
		return true
	case errors.Is(err, rpctypes.ErrAuthNotEnabled):
		v.found.warn("auth.off", v.addr, "turn users on with `etcdctl auth enable`, or leave --registry_user out",
			"a user is given, but etcd checks none: whoever reaches it can change what is registered")
		return true
	case errors.Is(err, rpctypes.ErrAuthFailed):
		v.found.problem("auth.refused", v.addr, fmt.Sprintf("correct --registry_user and --registry_password, or set the password with `etcdctl user passwd %s`", Shell(v.cfg.Username)),
			"etcd refuses user %q: wrong name or password", v.cfg.Username)
		return false
	}
	v.failed(ctx, err)
	return false
}

// failed reports what a failed request means.
func (v *visit) failed(ctx context.Context, err error) {
	err = rpctypes.Error(err)
	switch {
	case errors.Is(err, rpctypes.ErrUserEmpty):
		v.found.needsUser(v.addr)
	case ctx.Err() != nil || timedOut(err) || status.Code(err) == codes.DeadlineExceeded || v.hung(err):
		v.silent()
	case v.asksCertificate:
		v.certificateRefused(err)
	case v.cfg.TLS == nil && speaksTLS(ctx, v.addr):
		v.found.problem("tls.wanted", v.addr, "write https:// before the address, and give its authority's certificate with --registry_tls_ca",
			"it speaks TLS, but TLS is not asked for")
	default:
		v.found.problem("etcd.error", v.addr, "see whether it is an etcd that listens there: `etcdctl --endpoints="+Shell(v.addr)+" endpoint status`", "%v", v.conn.Explain("ask for the status", err))
	}
}

// hung reports whether grpc gave up a connection that nothing came from. One that
// is refused or closed fails at once.
func (v *visit) hung(err error) bool {
	return status.Code(err) == codes.Unavailable && time.Since(v.begun) >= min(v.limit, defaults.EtcdMinConnectTimeout)
}

// silent reports that etcd is there and says nothing.
func (v *visit) silent() {
	v.found.problem("etcd.no_answer", v.addr, "look at the etcd's process and log: it is stopped, overloaded, or something else listens on that port",
		"it takes connections, but did not answer within %v", min(v.limit, time.Since(v.begun).Round(100*time.Millisecond)))
}

func (r *report) needsUser(subject string) {
	r.problem("auth.required", subject, "give --registry_user and --registry_password", "users are on in etcd, and none is given")
}
