package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// cell is one measurement of one peer.
type cell struct {
	Size     int           // of a message, in bytes
	Conc     int           // calls, or streams, at a time
	Services int           // called in turn
	For      time.Duration // how long
	Window   int           // messages of a stream that are on their way; zero for calls
}

// done is what came of a cell.
type done struct {
	Number  int64         // of calls, or messages that came back
	Took    time.Duration // by the clock
	Used    usage         // of the client
	Servers usage         // filled in by the parent
}

// cpu returns the time that one call took client and server together, in
// nanoseconds.
func (d done) cpu() float64 { return float64(d.Used.CPU+d.Servers.CPU) / float64(d.Number) }

// rate returns the calls of a second.
func (d done) rate() float64 { return float64(d.Number) / d.Took.Seconds() }

// load runs the cell on a client: Conc goroutines, each with the next call as soon as
// the one before has been answered.
func load(ctx context.Context, c client, what cell) (done, error) {
	text := strings.Repeat("a", what.Size)
	before, err := readUsage()
	if err != nil {
		return done{}, err
	}
	begun := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var number atomic.Int64
	var workers sync.WaitGroup
	for i := range what.Conc {
		workers.Go(func() {
			n, err := work(ctx, c, what, text, i, begun.Add(what.For))
			number.Add(n)
			if err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return done{}, err
	}
	took := time.Since(begun)
	after, err := readUsage()
	return done{Number: number.Load(), Took: took, Used: after.since(before)}, err
}

func work(ctx context.Context, c client, what cell, text string, worker int, until time.Time) (n int64, err error) {
	if what.Window > 0 {
		return converse(ctx, c, text, what.Window, until)
	}
	for service := worker; time.Now().Before(until); service++ {
		if err := c.call(ctx, service%max(1, what.Services), text); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// converse sends messages over one stream, which come back, with window of them on
// their way. It returns how many came.
func converse(ctx context.Context, c client, text string, window int, until time.Time) (n int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := c.stream(ctx)
	if err != nil {
		return 0, err
	}
	room := make(chan struct{}, window)
	sent := make(chan error, 1)
	go func() {
		for time.Now().Before(until) {
			select {
			case room <- struct{}{}:
			case <-ctx.Done():
				sent <- ctx.Err()
				return
			}
			if err := s.send(text); err != nil {
				sent <- err
				return
			}
		}
		sent <- s.closeSend()
	}()
	for {
		err := s.receive()
		if err != nil {
			cancel() // the sender may wait for room
		}
		if errors.Is(err, io.EOF) {
			return n, <-sent
		}
		if err != nil {
			return n, errors.Join(err, <-sent)
		}
		n++
		<-room
	}
}
