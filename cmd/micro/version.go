package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/embedded"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:   "version",
		Usage:  "print the version of micro, of Go and of the etcd inside",
		Before: noArguments,
		Action: printVersion,
	}
}

func printVersion(c *cli.Context) error {
	_, err := fmt.Fprintln(c.App.Writer, buildVersion())
	return err
}

// buildVersion describes this binary in one line, from what the Go tool
// recorded in it.
func buildVersion() string {
	version, revision, dirty := "(devel)", "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = " " + s.Value[:min(12, len(s.Value))]
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+changes"
			}
		}
	}
	return fmt.Sprintf("micro %s%s%s (%s, %s/%s, etcd %s)",
		version, revision, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH, embedded.Version())
}
