package center

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// shelf is what Status reads, all as of one revision, and what of it the user may not read.
type shelf struct {
	revision                       int64
	records, newest, values, grays []etcd.KV
	noRelease, noValues, noGrays   bool
	readable                       map[string]bool // by what instances read: values that may be read all the same
}

const readingStatus = "read who runs what"

// shelf reads what Status needs. The records of instances have to be read; of the rest the
// user may lack rights, as who has one part of the tree does.
func (c *Center) shelf(ctx context.Context, records etcd.Range) (*shelf, error) {
	l := c.etcd.Layout()
	last := c.records()
	last.Last, last.Limit = true, 1
	values, grays := etcd.Below(l.Config()), etcd.Below(l.ConfigGrays())
	all, revision, err := c.etcd.Conn().ReadAll(ctx, readingStatus, 0, records, last, values, grays)
	if err == nil {
		return &shelf{revision: revision, records: all[0], newest: all[1], values: all[2], grays: all[3]}, nil
	}
	if !errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	s := &shelf{readable: make(map[string]bool)}
	if s.records, s.revision, err = c.etcd.Conn().Read(ctx, readingStatus, records); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			err = fmt.Errorf("%w: it takes the right to read %s", err, records.From)
		}
		return nil, err
	}
	for _, part := range []struct {
		of     etcd.Range
		to     *[]etcd.KV
		hidden *bool
	}{{last, &s.newest, &s.noRelease}, {values, &s.values, &s.noValues}, {grays, &s.grays, &s.noGrays}} {
		if *part.to, *part.hidden, err = c.readIfAllowed(ctx, s.revision, part.of); err != nil {
			return nil, err
		}
	}
	if s.noValues {
		err = c.readParts(ctx, s)
	}
	return s, err
}

// readIfAllowed reads ranges as of a revision, and reports true if the user may not.
func (c *Center) readIfAllowed(ctx context.Context, revision int64, ranges ...etcd.Range) (kvs []etcd.KV, hidden bool, err error) {
	all, _, err := c.etcd.Conn().ReadAll(ctx, readingStatus, revision, ranges...)
	if errors.Is(err, fs.ErrPermission) {
		return nil, true, nil
	}
	for _, one := range all {
		kvs = append(kvs, one...)
	}
	return kvs, false, err
}

// readParts reads what single instances read, of a user who may not read every value.
func (c *Center) readParts(ctx context.Context, s *shelf) error {
	l := c.etcd.Layout()
	for _, kv := range s.records {
		i, err := instanceOf(l, kv.Key, kv.Value)
		if err != nil {
			continue // Status says why
		}
		all := keysOf(l, i.reads).All()
		if _, known := s.readable[all]; known {
			continue
		}
		ranges := []etcd.Range{etcd.Below(strings.TrimSuffix(all, "/") + "/")}
		if !strings.HasSuffix(all, "/") {
			ranges = append(ranges, etcd.Range{From: all})
		}
		kvs, hidden, err := c.readIfAllowed(ctx, s.revision, ranges...)
		if err != nil {
			return err
		}
		s.readable[all], s.values = !hidden, append(s.values, kvs...)
	}
	return nil
}

// unknown reports whether it cannot be known what an instance is to have.
func (s *shelf) unknown(l layout.Layout, r layout.ReadsRecord) bool {
	return s.noGrays && !r.NoGrays || s.noValues && !s.readable[keysOf(l, r).All()]
}

// hidden names what the user may not read.
func (s *shelf) hidden() (all []string) {
	for _, one := range []struct {
		is   bool
		name string
	}{{s.noValues, "values"}, {s.noGrays, "grays"}, {s.noRelease, "releases"}} {
		if one.is {
			all = append(all, one.name)
		}
	}
	return all
}
