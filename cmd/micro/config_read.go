package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/secret"
)

// path is the argument that says which keys are meant, as a key: a "/" before and
// behind it is as good.
func (s *configSession) path() string { return strings.Trim(s.Args().First(), "/") }

func getConfig(s *configSession) error {
	e, err := s.Get(s.Context.Context, s.Args().First())
	if err != nil {
		return err
	}
	return show(s.Context, oneEntry(e))
}

type oneEntry center.Entry

var _ result = oneEntry{}

func (e oneEntry) value() any { return center.Entry(e) }

func (e oneEntry) table(w screen) error {
	_, err := fmt.Fprintln(w, secret.Hide(e.Value))
	return err
}

func listConfig(s *configSession) error {
	all, err := s.List(s.Context.Context, s.path())
	if err != nil {
		return err
	}
	s.noteNothing(all)
	return show(s.Context, entries(all))
}

// noteNothing says so where somebody asked for a path that has no keys: it may be a slip of the pen.
func (s *configSession) noteNothing(all []center.Entry) {
	if path := s.path(); path != "" && len(all) == 0 {
		stderr(s.Context).note("there is no key at or below %q", path)
	}
}

type entries []center.Entry

var _ result = entries{}

func (all entries) value() any { return append([]center.Entry{}, all...) }

func (all entries) table(w screen) error {
	t := newTable(w, "", "KEY", "VALUE", "REVISION")
	for _, e := range all {
		t.row(e.Key, cell(&e.Value), strconv.FormatInt(e.Revision, 10))
	}
	return t.flush()
}

func showHistory(s *configSession) error {
	all, err := s.History(s.Context.Context, center.Page{Before: s.Int64("before"), Limit: s.Int("limit"), Under: s.path()})
	if err != nil {
		return err
	}
	return show(s.Context, releases(all))
}

type releases []center.Release

var _ result = releases{}

func (all releases) value() any { return append([]center.Release{}, all...) }

func (all releases) table(w screen) error {
	for _, r := range all {
		if r.Foreign {
			w.line("FOREIGN, at revision %d", r.Revision)
		} else {
			line := fmt.Sprintf("release %d, at revision %d, %s, by %s", r.Number, r.Revision, r.When.Local().Format(time.DateTime), r.Who)
			if r.Comment != "" {
				line += ": " + r.Comment
			}
			w.line("%s", line)
		}
		if err := changeTable(w, r.Changes); err != nil {
			return err
		}
	}
	return nil
}

func diffConfig(s *configSession) error {
	if changes, ok, err := s.betweenReleases(); ok || err != nil {
		if err != nil {
			return err
		}
		return show(s.Context, difference(center.WithoutRewording(changes)))
	}
	from, err := s.tree(s.Args().First())
	if err != nil {
		return err
	}
	to := s.Args().Get(1)
	if to == "" {
		to = "now"
	}
	after, err := s.tree(to)
	if err != nil {
		return err
	}
	return show(s.Context, difference(center.Different(from, after)))
}

// betweenReleases returns what differs between a release and another one or now, of keys
// of every kind. It reports false if something else is asked for.
func (s *configSession) betweenReleases() (changes []center.Change, ok bool, err error) {
	from, err := strconv.ParseInt(s.Args().First(), 10, 64)
	if err != nil {
		return nil, false, nil
	}
	var to int64
	if meant := s.Args().Get(1); meant != "" && meant != "now" {
		if to, err = strconv.ParseInt(meant, 10, 64); err != nil {
			return nil, false, nil
		}
	}
	changes, err = s.Changes(s.Context.Context, from, to)
	return changes, true, inHistory(err)
}

// inHistory adds to an error that there is no such release who knows those that are there.
func inHistory(err error) error {
	if errors.Is(err, center.ErrNoRelease) {
		return fmt.Errorf("%w; `micro config history` shows those that are there", err)
	}
	return err
}

// tree returns the configuration that an argument of diff means.
func (s *configSession) tree(meant string) (center.Tree, error) {
	ctx := s.Context.Context
	if number, err := strconv.ParseInt(meant, 10, 64); err == nil {
		t, err := s.TreeAt(ctx, number)
		return t, inHistory(err)
	}
	if revision, ok := strings.CutPrefix(meant, "@"); ok {
		number, err := strconv.ParseInt(revision, 10, 64)
		if err != nil || number < 1 {
			return nil, usagef("invalid revision %q: give a number behind the @", meant)
		}
		return s.TreeAtRevision(ctx, number)
	}
	switch {
	case meant == "now":
		return s.Tree(ctx)
	case meant[0] == '/':
		return s.below(strings.Trim(meant, "/"))
	case filepath.Ext(meant) != "":
		return readTree(s.Context, meant)
	}
	return nil, usagef("it is not clear what %q is: give a release, @REVISION, now, a FILE.json or /PATH", meant)
}

// below returns the keys below a path, without it.
func (s *configSession) below(path string) (center.Tree, error) {
	all, err := s.List(s.Context.Context, path)
	if err != nil {
		return nil, err
	}
	t := center.Tree{}
	for _, e := range all {
		if key := strings.TrimPrefix(strings.TrimPrefix(e.Key, path), "/"); key != "" {
			t[key] = e.Value
		}
	}
	return t, nil
}

type difference []center.Change

var _ result = difference{}

func (d difference) value() any { return append([]center.Change{}, d...) }

func (d difference) table(w screen) error {
	if len(d) == 0 {
		w.line("no difference")
		return nil
	}
	return changeTable(w, d)
}

// configEvent is a change as watch prints it.
type configEvent struct {
	Time     time.Time `json:"time"`
	Revision int64     `json:"revision"`
	center.Change
}

func watchConfig(s *configSession) error {
	ctx, end := context.WithCancelCause(s.Context.Context)
	defer end(nil)
	told := func(revision int64, changes []center.Change) {
		for _, c := range changes {
			if err := printConfigEvent(s, configEvent{time.Now(), revision, c}); err != nil {
				end(err)
				return
			}
		}
	}
	status := func(err error) {
		if err != nil {
			stderr(s.Context).note("out of touch with %s: %v; what changes meanwhile is printed when it is back", s.target, err)
			return
		}
		stderr(s.Context).note("watching the configuration in %s, Ctrl-C ends", s.target)
	}
	if err := s.Watch(ctx, s.path(), told, status); err != nil {
		return err
	}
	if s.Context.Err() != nil {
		return nil // interrupted
	}
	return context.Cause(ctx)
}

func printConfigEvent(s *configSession, e configEvent) error {
	var err error
	if wantsJSON(s.Context) {
		err = writeJSON(stdout(s.Context), e, "")
	} else {
		_, err = fmt.Fprintln(stdout(s.Context), printable(fmt.Sprintf("%s  %d  %s  %s -> %s",
			e.Time.Format("15:04:05.000"), e.Revision, e.Key, spelled(e.Before), spelled(e.After))))
	}
	if err != nil {
		return fmt.Errorf("print what changed: %w", err)
	}
	return nil
}

// spelled is a value as watch prints it.
func spelled(value *string) string {
	if value == nil {
		return "(none)"
	}
	return cell(value)
}

// fileOf reads a file, or standard input for -.
func fileOf(c *cli.Context, name string) ([]byte, error) {
	if name == "-" {
		return readAll(c.Context, c.App.Reader)
	}
	return os.ReadFile(name)
}
