package center

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/gray"
)

// Gray is values that some instances have in place of those of everybody. Services of
// this house alone see them.
type Gray struct {
	Name    string    `json:"name"`
	Who     string    `json:"who,omitempty"`
	When    time.Time `json:"when,omitzero"`
	Comment string    `json:"comment,omitempty"`
	// Match says who has the values.
	Match Match `json:"match"`
	// Values are the values by key, JSON each, nil to take the key away.
	Values map[string]*string `json:"values"`
	// Base has the values that the keys had when they were put into the gray. A key that
	// was not there is not in it.
	Base     map[string]string `json:"base,omitempty"`
	Revision int64             `json:"revision,omitempty"` // of etcd, at which it was written
	// Unread says why it cannot be read, "" if it can. Of one that cannot there are Name
	// and Revision alone.
	Unread string `json:"unread,omitempty"`
}

// Match says which instances a gray is for: those that meet all conditions that it has,
// of which there has to be one.
type Match = gray.Match

// Grays returns all grays, in the order of their names.
func (c *Center) Grays(ctx context.Context) ([]Gray, error) {
	entries, err := c.ListOf(ctx, KindGray, "")
	if err != nil {
		return nil, err
	}
	all := make([]Gray, len(entries))
	for i, e := range entries {
		all[i] = grayOf(e)
	}
	return all, nil
}

// Gray returns one gray, or ErrNotFound. One that somebody else put there under a name that
// a gray cannot have is there all the same, Unread: it can be aborted.
func (c *Center) Gray(ctx context.Context, name string) (Gray, error) {
	e, err := c.GetOf(ctx, KindGray, name)
	if err != nil {
		return Gray{}, err
	}
	return grayOf(e), nil
}

func grayOf(e Entry) Gray {
	g := Gray{Name: e.Key, Revision: e.Revision}
	r, err := gray.Decode([]byte(e.Value))
	if err == nil {
		err = gray.CheckName(e.Key)
	}
	if err != nil {
		g.Unread = err.Error()
		return g
	}
	g.Who, g.When, g.Comment, g.Match, g.Values, g.Base = r.Who, r.When, r.Comment, r.Match, r.Values, r.Base
	return g
}

func (g Gray) record() gray.Record {
	return gray.Record{Who: g.Who, When: g.When, Comment: g.Comment, Match: g.Match, Values: g.Values, Base: g.Base}
}

// SetGray returns the draft that makes g the gray of its name, in place of one that there
// may be; if that says the same the draft changes nothing. Release refuses it with a
// ConflictError if somebody writes that one meanwhile. Of a key whose value was the same
// in that one Base stays as it was; Base, When and Revision of g do not count.
//
// It is refused, too, if its values could not be promoted as things are, or if another
// gray has one of its keys.
func (c *Center) SetGray(ctx context.Context, g Gray) (Draft, error) {
	doing := fmt.Sprintf("set gray %q", g.Name)
	fail := func(err error) (Draft, error) { return Draft{}, fmt.Errorf("%s: %w", doing, err) }
	if err := gray.CheckName(g.Name); err != nil {
		return fail(err)
	}
	s, err := c.lookAt(ctx, g.Name, g.Values)
	if err != nil {
		return Draft{}, err
	}
	seen := s.entry(item{KindGray, g.Name})
	var was Gray
	if seen.Revision != 0 {
		was = grayOf(seen)
	}
	g.When, g.Base = time.Now().UTC().Truncate(time.Millisecond), make(map[string]string)
	for key, value := range g.Values {
		now := s.text(item{KindValue, key})
		if before, had := was.Values[key]; had && same(before, value) {
			if text, there := was.Base[key]; there {
				now = &text
			} else {
				now = nil
			}
		}
		if now != nil {
			g.Base[key] = *now
		}
	}
	text, err := g.record().Encode()
	if err != nil {
		return fail(err)
	}
	if _, err := gray.Decode([]byte(text)); err != nil {
		return fail(err)
	}
	if seen.Revision != 0 && was.Unread == "" && was.record().Same(g.record()) {
		text = seen.Value
	} else if _, err := c.Plan(ctx, g.promotion(s)); err != nil && !errors.Is(err, ErrNoChange) {
		return fail(fmt.Errorf("its values could not be promoted: %w", err))
	}
	return Draft{Who: g.Who, Comment: g.Comment, Edits: []Edit{{Kind: KindGray, Key: g.Name, Value: &text, Seen: &seen}}}, nil
}

// promotion returns the draft that makes the values of g those of everybody.
func (g Gray) promotion(s state) Draft {
	d := Draft{Comment: fmt.Sprintf("promote gray %s", g.Name)}
	for _, key := range slices.Sorted(maps.Keys(g.Values)) {
		seen := s.entry(item{KindValue, key})
		d.Edits = append(d.Edits, Edit{Key: key, Value: g.Values[key], Seen: &seen})
	}
	return d
}

// Promote returns the draft that makes the values of a gray those of everybody and takes
// the gray away, at once. If one of its keys has another value by now than when it was
// put into the gray, the error has a ConflictError for each such key, unless anyway is
// true.
func (c *Center) Promote(ctx context.Context, name string, anyway bool) (Draft, error) {
	g, s, err := c.grayIn(ctx, "promote", name)
	if err != nil {
		return Draft{}, err
	}
	d := g.promotion(s)
	var conflicts []error
	for _, e := range d.Edits {
		base := Entry{Key: e.Key}
		var was *string
		if text, there := g.Base[e.Key]; there {
			base.Value, was = text, &text
		}
		// What is there as the gray has it does not stand in its way.
		if now := s.text(e.item()); !same(now, was) && !same(now, e.Value) {
			e.Seen = &base
			conflicts = append(conflicts, c.conflict(ctx, e, s))
		}
	}
	if len(conflicts) > 0 && !anyway {
		return Draft{}, fmt.Errorf("promote gray %q: %w", name, errors.Join(conflicts...))
	}
	seen := s.entry(item{KindGray, name})
	d.Edits = append(d.Edits, Edit{Kind: KindGray, Key: name, Seen: &seen})
	return d, nil
}

// Abort returns the draft that takes a gray away: its nodes have what everybody has.
func (c *Center) Abort(ctx context.Context, name string) (Draft, error) {
	seen, err := c.GetOf(ctx, KindGray, name)
	if err != nil {
		return Draft{}, fmt.Errorf("abort gray %q: %w", name, err)
	}
	return Draft{Comment: fmt.Sprintf("abort gray %s", name), Edits: []Edit{{Kind: KindGray, Key: name, Seen: &seen}}}, nil
}

// grayIn reads a gray together with what its keys have.
func (c *Center) grayIn(ctx context.Context, verb, name string) (Gray, state, error) {
	for {
		g, err := c.Gray(ctx, name)
		if err == nil && g.Unread != "" {
			err = fmt.Errorf("%s; abort it, or set it anew", g.Unread)
		}
		if err != nil {
			return Gray{}, state{}, fmt.Errorf("%s gray %q: %w", verb, name, err)
		}
		s, err := c.lookAt(ctx, name, g.Values)
		if err != nil || s.entry(item{KindGray, name}).Revision == g.Revision {
			return g, s, err
		}
		// Somebody has written it meanwhile, so there is progress: it ends.
	}
}

// lookAt reads a gray and keys at one revision.
func (c *Center) lookAt(ctx context.Context, name string, values map[string]*string) (state, error) {
	d := Draft{Edits: []Edit{{Kind: KindGray, Key: name}}}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		d.Edits = append(d.Edits, Edit{Key: key})
	}
	s, err := c.look(ctx, d)
	return s.state, err
}
