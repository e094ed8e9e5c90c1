package authcall

import (
	"context"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/metadata"
)

// Client returns a client whose calls and streams show the token of the service. The token
// of whoever called the service goes first, if ctx has it, unless client.WithServiceToken
// says otherwise. Where account is not nil, a token is made for the account that it names.
// of returns the Auth at each call.
func Client(of func() auth.Auth, account func() string, c client.Client) client.Client {
	return &showing{Client: c, of: of, own: own{account: account}}
}

type showing struct {
	client.Client
	of  func() auth.Auth
	own own
}

func (s *showing) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	return s.Client.Call(s.put(ctx, opts), req, rsp, opts...)
}

func (s *showing) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	return s.Client.Stream(s.put(ctx, opts), req, opts...)
}

// put returns ctx with the headers of the service.
func (s *showing) put(ctx context.Context, opts []client.CallOption) context.Context {
	a := s.of()
	if !Judges(a) {
		return ctx
	}
	if _, theirs := metadata.Get(ctx, headerToken); theirs && !serviceToken(opts) {
		return ctx
	}
	if _, ok := metadata.Get(ctx, headerNamespace); !ok {
		if namespace := a.Options().Namespace; namespace != "" {
			ctx = metadata.Set(ctx, headerNamespace, namespace)
		}
	}
	if token := s.own.token(a); token != "" {
		return metadata.Set(ctx, headerToken, auth.BearerScheme+token)
	}
	return ctx
}

// serviceToken reports whether the options ask for the service's own token.
func serviceToken(opts []client.CallOption) bool {
	var o client.CallOptions
	for _, opt := range opts {
		opt(&o)
	}
	return o.ServiceToken
}
