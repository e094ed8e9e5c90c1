// Package service reads the log of a service that runs elsewhere.
//
//	records, err := service.NewLog(log.Name("greeter")).Read(log.Count(10))
package service

import (
	"context"
	stderrors "errors"
	"io"
	"sync"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/debug"
	"github.com/rollcall-go/micro/debug/log"
	proto "github.com/rollcall-go/micro/debug/service/proto"
)

// readTimeout bounds Read, which v2 gave no context.
const readTimeout = 10 * time.Second

// serviceLog is the log of a service.
type serviceLog struct{ debug proto.DebugService }

var _ log.Log = (*serviceLog)(nil)

// NewLog returns the log of one node of the service that log.Name says, debug.DefaultName
// if it says none. client.DefaultClient calls it.
func NewLog(opts ...log.Option) log.Log {
	var o log.Options
	for _, opt := range opts {
		opt(&o)
	}
	if o.Name == "" {
		o.Name = debug.DefaultName
	}
	return &serviceLog{proto.NewDebugService(o.Name, client.DefaultClient)}
}

// Read waits for the service, 10 s at most.
func (l *serviceLog) Read(opts ...log.ReadOption) ([]log.Record, error) {
	var o log.ReadOptions
	for _, opt := range opts {
		opt(&o)
	}
	req := &proto.LogRequest{Count: int64(o.Count)}
	if !o.Since.IsZero() {
		req.Since = o.Since.Unix()
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	in, err := l.debug.Log(ctx, req)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var records []log.Record
	for {
		r, err := in.Recv()
		switch {
		case stderrors.Is(err, io.EOF):
			return records, nil
		case err != nil:
			return records, err
		}
		records = append(records, recordOf(r))
	}
}

// Write returns an error: a log is written where its service runs.
func (l *serviceLog) Write(log.Record) error {
	return stderrors.New("write to the log of a service: it can only be read from elsewhere")
}

// Stream delivers what the service logs from now on, until it ends or Stop is called.
func (l *serviceLog) Stream() (log.Stream, error) {
	ctx, cancel := context.WithCancel(context.Background()) // until Stop
	in, err := l.debug.Log(ctx, &proto.LogRequest{Stream: true})
	if err != nil {
		cancel()
		return nil, err
	}
	s := &stream{records: make(chan log.Record), done: make(chan struct{})}
	s.stop = sync.OnceFunc(func() {
		cancel()
		<-s.done
	})
	go s.follow(ctx, in)
	return s, nil
}

// stream is the log of a service as it is written.
//
// Goroutines: follow, from Stream to Stop.
type stream struct {
	records chan log.Record
	done    chan struct{} // closed when follow has returned
	stop    func()
}

// follow hands over the records until the stream or ctx ends.
func (s *stream) follow(ctx context.Context, in proto.Debug_LogService) {
	defer close(s.done)
	defer close(s.records)
	defer in.Close()
	for {
		r, err := in.Recv()
		if err != nil {
			return // the service has ended, or Stop was called
		}
		select {
		case s.records <- recordOf(r):
		case <-ctx.Done():
			return
		}
	}
}

func (s *stream) Chan() <-chan log.Record { return s.records }

func (s *stream) Stop() error {
	s.stop()
	return nil
}

func recordOf(r *proto.Record) log.Record {
	md := r.GetMetadata()
	if md == nil {
		md = map[string]string{}
	}
	return log.Record{Timestamp: time.Unix(r.GetTimestamp(), 0), Metadata: md, Message: r.GetMessage()}
}
