package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/bridge"
)

// progress prints what happens on a bridge: nodes on standard output, the state of the
// bridge and its registries on standard error; as JSON all of it on standard output.
type progress struct {
	c        *cli.Context
	from, to registryTarget
}

func (p *progress) tell(e bridge.Event) {
	if wantsJSON(p.c) {
		// There is nobody to tell that nothing can be told.
		_ = writeJSON(stdout(p.c), e, "")
		return
	}
	if e.Node != "" {
		line := fmt.Sprintf("%s  %-6s  %s  %s  %s  %s", e.Time.Format("15:04:05.000"), e.Kind, e.Service, e.Version, e.Node, e.Address)
		if e.Reason != "" {
			line += "  (" + e.Reason + ")"
		}
		stdout(p.c).line("%s", redact(line))
		return
	}
	if text := p.words(e); text != "" {
		stderr(p.c).note("%s  %s", e.Time.Format("15:04:05.000"), text)
	}
}

// words says what has become of the bridge.
func (p *progress) words(e bridge.Event) string {
	switch e.Kind {
	case bridge.Ready:
		return fmt.Sprintf("in step: %s of %s mirrored", plural(e.Nodes, "node"), plural(e.Services, "service"))
	case bridge.Lost:
		stays := "what is mirrored stays as it is"
		if e.Side == bridge.Written {
			stays = "what changes meanwhile is made good when it is back"
		}
		return fmt.Sprintf("out of touch with %s: %s; %s", p.side(e), e.Reason, stays)
	case bridge.Back:
		return fmt.Sprintf("in touch with %s again", p.side(e))
	case bridge.Stopped:
		text := fmt.Sprintf("ended: %s taken out", plural(e.Nodes, "mirrored node"))
		if p.c.Bool("leave") {
			text += ", the others go with their time to live"
		}
		return text
	}
	return ""
}

func (p *progress) side(e bridge.Event) registryTarget {
	if e.Side == bridge.Written {
		return p.to
	}
	return p.from
}
