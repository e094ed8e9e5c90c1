package cmd

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/debug/service/handler"
)

// The words of --debug_handler beside the names of methods.
const (
	debugAll = "all"
	debugOff = "off"
)

func debugPart() part {
	return part{
		flags: []cli.Flag{&cli.StringFlag{
			Name: "debug_handler", EnvVars: []string{"MICRO_DEBUG_HANDLER"}, DefaultText: debugAll, Category: "Debug",
			Usage: "what callers may ask the service about itself: all, off, or some of " + strings.Join(handler.Names(), ",") + ", with commas between",
		}},
		apply: applyDebug,
	}
}

func applyDebug(in *input, g *given, _ Options) (bool, error) {
	v, ok := in.text("debug_handler")
	if !ok {
		return false, nil
	}
	methods := handler.Names()
	switch strings.ToLower(v) {
	case debugAll:
	case debugOff:
		methods = nil
	default:
		methods = nil
		for _, word := range strings.Split(v, ",") {
			name := debugMethod(strings.TrimSpace(word))
			if name == "" {
				in.fail("debug_handler", v, "want all, off, or some of %s", strings.Join(handler.Names(), ","))
				return false, nil
			}
			methods = append(methods, name)
		}
	}
	g.toServer = append(g.toServer, handler.Methods(methods...))
	return false, nil
}

// debugMethod returns the proper form of a method's name, empty if there is none of that
// name.
func debugMethod(word string) string {
	for _, name := range handler.Names() {
		if strings.EqualFold(name, word) {
			return name
		}
	}
	return ""
}
