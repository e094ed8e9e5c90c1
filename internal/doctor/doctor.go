// Package doctor examines an etcd, what is registered in it and the configuration, and
// says of each fault what the cause is and what to do about it. It only reads: no key,
// lease, alarm or user is changed.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	// OK is something that was looked at and is as it should be.
	OK Level = "ok"
	// Warning is something that works now and may not later.
	Warning Level = "warning"
	// Problem is something that does not work.
	Problem Level = "problem"
)

// Finding is one thing that was found out. Cause and Subject may hold text that
// others wrote, such as the id of a node.
type Finding struct {
	Level Level `json:"level"`
	// Code names the kind of finding. It is the same in every release.
	Code string `json:"code"`
	// Subject is the address, member, key or node that it is about.
	Subject string `json:"subject"`
	// Cause says in words what was found.
	Cause string `json:"cause"`
	// Fix is a command or a setting that helps. It is empty for OK.
	Fix string `json:"fix,omitempty"`
	// More is how many findings of the kind it stands for beside itself, where
	// there were too many to list.
	More int `json:"more,omitempty"`
}

// Examine looks at the etcd that cfg names and at what is registered in it, under
// the keys of the layout. It returns when ctx ends, and within cfg.Timeout, a third
// of which an address that does not answer can take; what there was no time for is a
// finding as well. Of each kind it lists a few. The etcd's own client, cfg.Client, is
// not used. The list is never empty.
func Examine(ctx context.Context, cfg etcd.Config, keys layout.Layout) []Finding {
	cfg.Client = nil
	cfg.Timeout = cmp.Or(cfg.Timeout, defaults.RegistryTimeout)
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()

	var r report
	cfg, err := cfg.Settled()
	if err != nil {
		r.problem("files.unusable", "registry files", "correct the paths of the certificates and the password, or what is in the files", "%v", err)
		return r
	}
	asked, err := split(cfg)
	if err != nil {
		r.problem("address.malformed", "registry address", "give host, host:port or a URL in --registry_address", "%v", err)
		return r
	}
	visits := visitAll(ctx, cfg.Timeout/3, asked)
	defer func() { closeAll(visits) }()
	for _, v := range visits {
		r = append(r, v.found...)
	}
	c := examineCluster(ctx, cfg, visits)
	defer closeAll(c.others)
	r = append(r, c.found...)
	if best := c.best(); best != nil {
		r = append(r, examineDatabase(c)...)
		r = append(r, examineVersions(c)...)
		rights, readable := examineRights(ctx, cfg, keys, best)
		r = append(r, rights...)
		r = append(r, examineRegistry(ctx, keys, best, readable, remote(asked), c.open)...)
		r = append(r, examineConfig(ctx, keys, best)...)
	}
	return Brief(r)
}

// report collects findings.
type report []Finding

func (r *report) ok(code, subject, cause string, args ...any) {
	*r = append(*r, Finding{OK, code, subject, fmt.Sprintf(cause, args...), "", 0})
}

func (r *report) warn(code, subject, fix, cause string, args ...any) {
	*r = append(*r, Finding{Warning, code, subject, fmt.Sprintf(cause, args...), fix, 0})
}

func (r *report) problem(code, subject, fix, cause string, args ...any) {
	*r = append(*r, Finding{Problem, code, subject, fmt.Sprintf(cause, args...), fix, 0})
}

// millis rounds a duration for people.
func millis(d time.Duration) time.Duration { return max(time.Millisecond, d.Round(time.Millisecond)) }

// number counts things.
func number(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
