package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/internal/defaults"
)

// waitFlag makes a command wait until instances have taken what it released.
func waitFlag() cli.Flag {
	return &cli.BoolFlag{Name: "wait", DisableDefaultText: true,
		Usage: fmt.Sprintf("wait until all instances that read it have it, for %v or --timeout", defaults.ConfigWait)}
}

// checkWait refuses "--wait 30s", whose 30s would be an argument, such as the path of a rollback.
func checkWait(c *cli.Context) error {
	if !c.Bool("wait") || c.NArg() == 0 {
		return nil
	}
	last := c.Args().Get(c.NArg() - 1)
	if _, err := time.ParseDuration(last); err != nil || last == "0" {
		return nil
	}
	return usagef("--wait takes no duration, and %q would be an argument: give --timeout %s beside it", last, last)
}

// waited is what came of waiting, as JSON.
type waited struct {
	center.Progress
	Seconds float64 `json:"seconds"`
}

// await waits until all instances have releases, if that is asked for. The error names
// those that do not.
func (s *configSession) await(releases ...center.Release) (waited, error) {
	return s.waitFor(func(ctx context.Context, told func(center.Progress)) error {
		for _, r := range releases {
			if err := s.Wait(ctx, r, told); err != nil {
				return fmt.Errorf("wait for release %d: %w", r.Number, err)
			}
		}
		return nil
	})
}

// waitFor calls wait with a deadline, and shows on a terminal how far it is.
func (s *configSession) waitFor(wait func(context.Context, func(center.Progress)) error) (waited, error) {
	limit := defaults.ConfigWait
	if s.IsSet("timeout") {
		limit = s.target.timeout
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(s.Context.Context, limit)
	defer cancel()
	var done waited
	shown := ""
	err := wait(ctx, func(p center.Progress) {
		done.Progress = p
		line := waitLine(p)
		if !stderr(s.Context).isTerminal() || line == shown {
			return
		}
		shown = line
		stderr(s.Context).faint("%s", line)
	})
	done.Seconds = time.Since(begun).Seconds()
	return done, err
}

// waitLine says in a line how far it is.
func waitLine(p center.Progress) string {
	all := len(p.Have) + len(p.Refused) + len(p.Waiting) + len(p.Gone)
	line := fmt.Sprintf("it has reached %d of %s", len(p.Have), plural(all, "instance"))
	if n := len(p.Refused); n > 0 {
		line += fmt.Sprintf(", %d refused it", n)
	}
	if n := len(p.Gone); n > 0 {
		line += fmt.Sprintf(", %d went", n)
	}
	if p.Away != nil {
		line += fmt.Sprintf("; etcd does not tell what they do: %v", p.Away)
	}
	return line
}

// summary says in a line that all have it.
func (w waited) summary() string {
	if len(w.Have) == 0 {
		return "no instance says that it reads this: nobody to wait for"
	}
	if len(w.Have) == 1 {
		return fmt.Sprintf("1 instance: it has it, after %.1fs", w.Seconds)
	}
	return fmt.Sprintf("%s: all have it, after %.1fs", plural(len(w.Have), "instance"), w.Seconds)
}
