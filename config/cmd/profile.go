package cmd

import (
	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/debug/profile"
	"github.com/rollcall-go/micro/internal/builtin"
)

// DefaultProfiles are the profilers that can be chosen by name. A program may add its own
// before Init.
var DefaultProfiles = builtin.Map(builtin.Profiles())

// Profile says where the profiler is.
func Profile(p *profile.Profile) Option { return func(o *Options) { o.Profile = p } }

func profilePart() part {
	return part{
		flags: []cli.Flag{&cli.StringFlag{
			Name: "profile", EnvVars: []string{"MICRO_DEBUG_PROFILE"}, DefaultText: "none", Category: "Debug",
			Usage: "profile the program while it runs: " + builtin.Choices(builtin.Profiles()),
		}},
		apply: applyProfile,
	}
}

// applyProfile puts the profiler in place that was named. It gets the name of the service,
// so that those of one host do not write into one another's files.
func applyProfile(in *input, _ *given, to Options) (bool, error) {
	own := merged(DefaultProfiles, to.Profiles)
	name := choice(in, "profile", "", builtin.Profiles(), own)
	if name == "" || in.err != nil || to.Profile == nil {
		return false, nil
	}
	service, named := in.text("server_name")
	if !named && to.Server != nil {
		service = (*to.Server).Options().Name
	}
	*to.Profile = own[name](profile.Name(service))
	return false, nil
}
