package etcd

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/gray"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/logger"
)

// followed returns the keys that are followed: values, and what lies over them here.
func (f *session) followed() mirror.Keys {
	var alone bool
	f.board.Look(func(*keytree.View) { alone = f.alone })
	values, grays, over := f.keys.All(), f.layout.ConfigGrays(), f.layout.Config()
	switch {
	case alone, strings.HasPrefix(grays, values):
		return mirror.Prefix(values)
	case strings.HasPrefix(values, grays):
		return mirror.Prefix(grays)
	case strings.HasPrefix(values, over), strings.HasPrefix(over, values):
		return mirror.Prefix(values, grays)
	}
	return mirror.Prefix(values) // no gray can have one of them
}

// mirror follows the keys until the session ends, which gives no error. Grays that may
// not be read are left out: then it returns without an error, to be called again, and
// also when they may be read again.
func (f *session) mirror() error {
	ctx, cancel := context.WithCancel(f.ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	var alone bool
	f.board.Look(func(*keytree.View) { alone = f.alone })
	if !alone {
		return mirror.Follow(ctx, f.conn(), f.followed(), withGrays{observer{f}, cancel})
	}
	asking.Go(func() {
		defer cancel()
		f.awaitRight(ctx)
	})
	return mirror.Follow(ctx, f.conn(), f.followed(), observer{f})
}

// withGrays is what the mirror of values and grays knows of a session.
type withGrays struct {
	observer
	end func()
}

// Status implements mirror.Observer. What may not be read ends the mirror: the values
// alone may be.
func (o withGrays) Status(s mirror.Status) {
	if refusal.Of(s.Err) != refusal.Right {
		o.linked(s)
		return
	}
	o.board.Look(func(*keytree.View) { o.alone, o.denied = true, s.Err })
	o.end()
}

// awaitRight returns when grays may be read, or ctx is done.
func (f *session) awaitRight(ctx context.Context) {
	tick := time.NewTicker(f.rightAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, _, err := mirror.Prefix(f.layout.ConfigGrays()).Revisions(ctx, f.conn(), "look for grays"); err == nil {
			f.board.Look(func(*keytree.View) { f.alone, f.denied = false, nil })
			return
		}
	}
}

// grayOf returns the name of the gray that a key is of. It reports false for others.
func (f *session) grayOf(key string) (string, bool) {
	return strings.CutPrefix(key, f.layout.ConfigGrays())
}

// putGray takes a gray.
func (f *session) putGray(v *keytree.View, name string, e mirror.Entry) {
	r, err := gray.Decode(e.Value)
	if err == nil {
		err = gray.CheckName(name)
	}
	g := keytree.Gray{
		Holds:  func(i source.Instance) bool { return r.Match.Holds(name, i) },
		Values: make(map[string]*string, len(r.Values)),
	}
	for key, text := range r.Values {
		g.Values[f.layout.Config()+key] = text
	}
	v.PutGray(name, e.Key, g, err, e.ModRevision)
}

// reportGrays logs what is wrong with the grays that was not so before.
func (f *session) reportGrays() {
	const most = 10 // nobody reads more
	var lines []string
	f.board.Look(func(v *keytree.View) {
		told := make(map[string]bool)
		say := func(line string) {
			if told[line] = true; !f.told[line] && len(lines) < most {
				lines = append(lines, line)
			}
		}
		if f.known && f.denied != nil {
			say(fmt.Sprintf("Config [etcd] Values for some nodes alone cannot be read; those for all are in force: %v", f.denied))
		}
		for _, r := range v.RefusedGrays() {
			say(fmt.Sprintf("Config [etcd] A gray does not count as it is: key %q, revision %d: %v", r.Key, r.Revision, r.Err))
		}
		f.told = told
	})
	for _, line := range lines {
		logger.Warn(line)
	}
}
