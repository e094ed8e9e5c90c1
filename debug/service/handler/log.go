package handler

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/rollcall-go/micro/debug/log"
	proto "github.com/rollcall-go/micro/debug/service/proto"
	"github.com/rollcall-go/micro/server"
)

const (
	// newest is how many records are sent to a caller who says no number.
	newest = 100
	// missedField is the field in which a record says how many were left out before it.
	missedField = "missed"
)

// Log sends the newest records or, if a stream is asked for, those that come until the
// caller has gone. A caller who reads them slowly misses some; the next one says how many,
// in its field "missed".
func (d *Debug) Log(ctx context.Context, stream server.Stream) error {
	if err := d.served("Log"); err != nil {
		return err
	}
	req := &proto.LogRequest{}
	if err := stream.Recv(req); err != nil {
		return err
	}
	if req.GetStream() {
		return d.follow(ctx, stream)
	}
	count := int(req.GetCount())
	if count <= 0 && req.GetSince() <= 0 {
		count = newest
	}
	opts := []log.ReadOption{log.Count(count)}
	if since := req.GetSince(); since > 0 {
		opts = append(opts, log.Since(time.Unix(since, 0)))
	}
	records, err := d.s.Log.Read(opts...)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := stream.Send(message(r)); err != nil {
			return err
		}
	}
	return nil
}

// follow sends the records to come.
func (d *Debug) follow(ctx context.Context, stream server.Stream) (err error) {
	coming, err := d.s.Log.Stream()
	if err != nil {
		return err
	}
	defer coming.Stop()
	counted, _ := coming.(interface{ Missed() uint64 })
	var missed uint64
	for {
		select {
		case r, ok := <-coming.Chan():
			if !ok {
				return nil
			}
			m := message(r)
			if counted != nil {
				if now := counted.Missed(); now > missed {
					m.Metadata[missedField] = strconv.FormatUint(now-missed, 10)
					missed = now
				}
			}
			if err := stream.Send(m); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil // the caller has gone
		case <-d.s.Done:
			return nil
		}
	}
}

// message returns a record as it is sent. Nobody else has its map.
func message(r log.Record) *proto.Record {
	md := make(map[string]string, len(r.Metadata)+1)
	for k, v := range r.Metadata {
		md[k] = v
	}
	return &proto.Record{Timestamp: r.Timestamp.Unix(), Metadata: md, Message: fmt.Sprint(r.Message)}
}
