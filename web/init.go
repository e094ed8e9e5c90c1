package web

import (
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/server"
)

// Init applies options and, the first time, the command line.
//
// A service without MicroService has a server of its own that is never started and
// stands for it while the command line is read, so that every flag of a server means
// the same for both.
func (s *service) Init(opts ...Option) error {
	s.starting.Lock()
	defer s.starting.Unlock()
	s.mu.Lock()
	if s.phase != idle {
		s.mu.Unlock()
		return errors.New("set up the web service: it has been started; call Init before Run")
	}
	o := s.opts
	s.mu.Unlock()
	for _, opt := range opts {
		opt(&o)
	}
	s.mu.Lock()
	s.opts = s.complete(o)
	o = s.opts
	more := o.Flags[min(s.flags, len(o.Flags)):]
	s.flags = len(o.Flags)
	s.mu.Unlock()

	stands := s.own != nil && o.Service == s.own
	var forward []micro.Option
	if len(more) > 0 {
		forward = append(forward, micro.Flags(more...))
	}
	if o.Registry != nil {
		forward = append(forward, micro.Registry(o.Registry))
	}
	if stands {
		if err := o.Service.Server().Init(toServer(o)); err != nil {
			return err
		}
	}
	forward = append(forward, micro.Action(func(ctx *cli.Context) error {
		if !stands {
			s.read(ctx)
		}
		if o.Action != nil {
			o.Action(ctx)
		}
		return nil
	}))
	o.Service.Init(forward...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.Registry != nil {
		s.opts.Registry = o.Service.Options().Registry // a flag goes before the code
	}
	if stands {
		s.takeBack(o.Service.Server().Options())
	}
	return nil
}

// toServer tells the server that stands for the service what the options say.
func toServer(o Options) server.Option {
	return func(so *server.Options) {
		so.Name, so.Version, so.Id = o.Name, o.Version, o.Id
		so.Address, so.Advertise, so.Metadata = o.Address, o.Advertise, o.Metadata
		so.RegisterTTL, so.RegisterInterval = o.RegisterTTL, o.RegisterInterval
		so.TLSConfig = o.TLSConfig
		if own, ok := settings.Of[*secure.Server](o.Context); ok {
			so.Context = settings.With(so.Context, own)
		}
	}
}

// takeBack takes what the server was told by code and command line. The caller holds mu.
func (s *service) takeBack(so server.Options) {
	o := &s.opts
	o.Name, o.Version, o.Id = so.Name, so.Version, so.Id
	o.Address, o.Advertise, o.Metadata = so.Address, so.Advertise, so.Metadata
	o.RegisterTTL, o.RegisterInterval = so.RegisterTTL, so.RegisterInterval
	s.place = place{so.AdvertiseInterface, so.AdvertiseCIDR}
	if own, ok := settings.Of[*secure.Server](so.Context); ok {
		o.Context = settings.With(o.Context, own)
	}
}

// read takes from the command line of a MicroService what go-micro v2 takes: it is read
// once, by whichever of the two services is initialized first.
func (s *service) read(ctx *cli.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &s.opts
	for name, to := range map[string]*string{
		"server_name": &o.Name, "server_version": &o.Version, "server_id": &o.Id,
		"server_address": &o.Address, "server_advertise": &o.Advertise,
	} {
		if v := ctx.String(name); v != "" {
			*to = v
		}
	}
	for name, to := range map[string]*time.Duration{"register_ttl": &o.RegisterTTL, "register_interval": &o.RegisterInterval} {
		if n := ctx.Int(name); n > 0 {
			*to = time.Duration(n) * time.Second
		}
	}
}
