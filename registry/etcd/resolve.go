package etcd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/feed"
)

// token is what Resolve needs to know of a departure: the lease of the record, 0
// if it is not to be asked about.
type token struct{ lease int64 }

// Resolve asks etcd why nodes left. A paused one was taken out on purpose. One
// whose lease is gone expired. One whose lease lives was deleted: by itself, or, if
// it would have said so, by a stranger.
func (b *backend) Resolve(ctx context.Context, gone []feed.Departure) ([]feed.Cause, error) {
	paused, err := b.pausedAmong(ctx, gone)
	if err != nil {
		return nil, err
	}
	causes := make([]feed.Cause, len(gone))
	var leases []int64
	var places []int
	for i, d := range gone {
		t, _ := d.Token.(token)
		causes[i] = d.Cause
		switch {
		case paused[i]:
			causes[i] = feed.Deleted
		case t.lease != 0 && (d.Cause == feed.Unknown || d.Cause == feed.Vanished):
			leases = append(leases, t.lease)
			places = append(places, i)
		}
	}
	if len(leases) == 0 {
		return causes, nil
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	alive, err := claim.Alive(ctx, b.current().conn, leases)
	if err != nil {
		return nil, fmt.Errorf("ask for %d leases: %w", len(leases), err)
	}
	for i, place := range places {
		switch {
		case !alive[i]:
			causes[place] = feed.Expired
		case causes[place] == feed.Unknown:
			causes[place] = feed.Deleted
		}
	}
	return causes, nil
}

// pausedAmong reports for each departure whether an operator took the node out. A
// user who may not read pauses cannot know.
func (b *backend) pausedAmong(ctx context.Context, gone []feed.Departure) ([]bool, error) {
	byService := map[string][]string{}
	paused := make([]bool, len(gone))
	for i, d := range gone {
		ids, known := byService[d.Service]
		if !known {
			var err error
			if ids, err = b.Paused(ctx, d.Service); err != nil && !errors.Is(err, fs.ErrPermission) {
				return nil, err
			}
			byService[d.Service] = ids
		}
		paused[i] = slices.Contains(ids, strings.ReplaceAll(d.Node.Id, "/", "-"))
	}
	return paused, nil
}
