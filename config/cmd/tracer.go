package cmd

import (
	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/server"
)

// DefaultTracers are the tracers that can be chosen by name. A program may add its own
// before Init.
var DefaultTracers = builtin.Map(builtin.Tracers())

// Tracer says where the tracer is. A server gets the one that was chosen in any case.
func Tracer(t *trace.Tracer) Option { return func(o *Options) { o.Tracer = t } }

// NewTracer adds a tracer that can be chosen by name.
func NewTracer(name string, t func(...trace.Option) trace.Tracer) Option {
	return func(o *Options) { o.Tracers = with(o.Tracers, name, t) }
}

func tracerPart() part {
	return part{
		flags: []cli.Flag{&cli.StringFlag{
			Name: "tracer", EnvVars: []string{"MICRO_TRACER"}, DefaultText: "none", Category: "Debug",
			Usage: "begin traces of calls, and keep them in: " + builtin.Choices(builtin.Tracers()),
		}},
		apply: applyTracer,
		unserved: []unserved{
			{"tracer_address", "MICRO_TRACER_ADDRESS", "", "v2 takes no notice of it either"},
		},
	}
}

func applyTracer(in *input, g *given, to Options) (bool, error) {
	own := merged(DefaultTracers, to.Tracers)
	name := choice(in, "tracer", "", builtin.Tracers(), own)
	if name == "" || in.err != nil {
		return false, nil
	}
	t := own[name]()
	if to.Tracer != nil {
		*to.Tracer = t
	}
	g.toServer = append(g.toServer, server.Tracer(t))
	return false, nil
}
