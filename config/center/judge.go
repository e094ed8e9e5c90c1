package center

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/gray"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/lint"
)

// Finding is one thing that is wrong with a configuration. Its fields are Kind, Key, Path
// (where programs read the value), Text and, if a schema is violated, Rule, Schema (its
// key) and for whom it is: Service, Environment and Gray.
type Finding = lint.Finding

// SchemaError says that a release would violate schemas. Draft.Force releases it all the
// same.
type SchemaError struct{ Violations []Finding }

// Error implements error.
func (e *SchemaError) Error() string {
	const most = 5
	var lines []string
	for _, v := range e.Violations[:min(most, len(e.Violations))] {
		lines = append(lines, v.String())
	}
	if more := len(e.Violations) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "; ")
}

// judge returns what the schemas do not take after a release, and took before it. What
// was wrong before and is left as it was does not keep anybody from mending something
// else. Where the user may read only some of the values, it is judged by those.
//
// Two releases that are right alone and wrong together do not both come through: what is
// read is as of one revision, and whoever releases anything after that takes the number.
func (p *Preview) judge(ctx context.Context) ([]Finding, error) {
	schemas, err := p.there(ctx, KindSchema, "")
	if errors.Is(err, fs.ErrPermission) {
		p.unjudged = true
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	concerned := p.concerned(schemas)
	if len(concerned) == 0 {
		return nil, nil
	}
	grays, err := p.there(ctx, KindGray, "")
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	ranges := p.judged(concerned)
	values, err := p.listed(ctx, KindValue, "what schemas judge", ranges)
	switch {
	case errors.Is(err, fs.ErrPermission):
		if values, err = p.visible(ctx, concerned); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	default:
		p.guards = append(p.guards, p.unwritten(ranges))
	}
	after := lint.Config{Values: values, Schemas: schemas, Grays: grays}
	before := lint.Config{Values: p.before(KindValue, values), Schemas: p.before(KindSchema, schemas), Grays: p.before(KindGray, grays)}
	about := func(key string) bool { return slices.Contains(concerned, key) }
	violated := after.Judge(about)
	if len(violated) == 0 {
		return nil, nil
	}
	var found []Finding
	for _, v := range lint.New(before.Judge(about), violated) {
		found = append(found, v.Finding())
	}
	return found, nil
}

// unwritten makes a transaction fail if somebody wrote a value of the ranges past the Center
// since they were judged, as far as there is room for that.
func (p *Preview) unwritten(ranges []etcd.Range) func(*etcd.Txn) {
	return func(txn *etcd.Txn) {
		const others = 2 // the number of the release, and the places of new keys
		if txn.Conditions()+len(ranges)+others > etcd.MaxTxnOps {
			return
		}
		for _, r := range ranges {
			txn.NoneSince(r, p.revision)
		}
	}
}

// judged returns the ranges of the values on which what schemas say depends: at, above and
// below their paths, and those of all layers. Most keys of a large configuration are in none
// of them.
func (p *Preview) judged(schemas []string) []etcd.Range {
	prefix := p.center.prefix(KindValue)
	ranges := make(map[string]etcd.Range)
	add := func(r etcd.Range) { ranges[r.From] = r }
	for _, layer := range keytree.LayerPrefixes() {
		add(etcd.Below(prefix + layer))
	}
	for _, key := range schemas {
		path, ok := lint.PathOf(key)
		switch {
		case !ok: // it judges nothing
			continue
		case path == "":
			return []etcd.Range{etcd.Below(prefix)}
		}
		for _, over := range above([]string{path + "/"}) {
			add(etcd.Range{From: prefix + over})
		}
		add(etcd.Below(prefix + path + "/"))
	}
	return slices.SortedFunc(maps.Values(ranges), func(a, b etcd.Range) int { return strings.Compare(a.From, b.From) })
}

// there is List without the promise that what it returns stays so.
func (p *Preview) there(ctx context.Context, kind Kind, under string) (Tree, error) {
	guards := p.guards
	t, err := p.List(ctx, kind, under)
	p.guards = guards
	return t, err
}

// concerned returns the keys of the schemas that may judge otherwise after the release.
func (p *Preview) concerned(schemas Tree) (keys []string) {
	for key := range schemas {
		if slices.ContainsFunc(p.changes, func(c Change) bool {
			switch c.Kind {
			case KindSchema:
				return c.Key == key
			case KindGray:
				return slices.ContainsFunc(grayKeys(c), func(k string) bool { return lint.Concerns(key, k) })
			}
			return lint.Concerns(key, c.Key)
		}) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// grayKeys returns the keys that a gray had or has.
func grayKeys(c Change) (keys []string) {
	for _, text := range []*string{c.Before, c.After} {
		if text != nil {
			if r, err := gray.Decode([]byte(*text)); err == nil {
				keys = append(keys, r.Keys()...)
			}
		}
	}
	return keys
}

// before returns what there was of a kind before the release.
func (p *Preview) before(kind Kind, after Tree) Tree {
	before := make(Tree)
	maps.Copy(before, after)
	for _, c := range p.changes {
		if c.Kind != kind {
			continue
		}
		if delete(before, c.Key); c.Before != nil {
			before[c.Key] = *c.Before
		}
	}
	return before
}

// visible returns the values that the user may read of those that schemas judge: below
// the keys of the schemas and at and above those that change.
func (p *Preview) visible(ctx context.Context, schemas []string) (Tree, error) {
	prefix := p.center.prefix(KindValue)
	var ranges []etcd.Range
	for _, key := range schemas {
		ranges = append(ranges, etcd.Range{From: prefix + key}, etcd.Below(prefix+key+"/"))
	}
	for _, c := range p.changes {
		if c.Kind == KindValue {
			for _, key := range above([]string{c.Key}) {
				ranges = append(ranges, etcd.Range{From: prefix + key})
			}
		}
	}
	all := make(Tree)
	for _, r := range ranges {
		r.Revision = p.revision
		kvs, _, err := p.center.etcd.Conn().Read(ctx, "read what schemas judge", r)
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		for _, kv := range kvs {
			all[kv.Key[len(prefix):]] = string(kv.Value)
		}
	}
	for _, c := range p.changes {
		if c.Kind != KindValue {
			continue
		}
		if delete(all, c.Key); c.After != nil {
			all[c.Key] = *c.After
		}
	}
	return all, nil
}
