// Package noop is a log that keeps nothing.
package noop

import (
	"sync"

	"github.com/rollcall-go/micro/debug/log"
)

type noop struct{}

var _ log.Log = noop{}

// NewLog returns a log that keeps nothing. Put in the place of log.DefaultLog, nobody
// can read what the program logs but where it goes.
func NewLog(...log.Option) log.Log { return noop{} }

func (noop) Read(...log.ReadOption) ([]log.Record, error) { return nil, nil }
func (noop) Write(log.Record) error                       { return nil }
func (noop) Stream() (log.Stream, error) {
	c := make(chan log.Record)
	return stream{c, sync.OnceFunc(func() { close(c) })}, nil
}

// stream delivers nothing until it is stopped.
type stream struct {
	c    chan log.Record
	stop func()
}

func (s stream) Chan() <-chan log.Record { return s.c }

func (s stream) Stop() error {
	s.stop()
	return nil
}
