// Package snapshot lets a program start by what another source last held, while that
// one is away.
//
// What the source holds is kept in a file, the newest in place of the one before. A
// source that cannot be read is answered for by what it last held: that is what this
// process knows of it or else the file, with a line in the log that says how old it is.
package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/logger"
)

// MaxAge is the default of the age from which a file is not believed.
const MaxAge = 72 * time.Hour

// renewal is how often the file is written anew while what it has stays true, so that its
// age is that of an outage and not of the last change.
const renewal = time.Hour

// Option changes the source that NewSource returns.
type Option func(*snapshot)

// WithMaxAge sets the age from which a file is not believed. 0 means that every file
// is.
func WithMaxAge(d time.Duration) Option { return func(s *snapshot) { s.maxAge = d } }

// snapshot is a source that keeps what another one holds.
type snapshot struct {
	source.Source
	path    string
	maxAge  time.Duration
	writing sync.Mutex // held while the file is written

	mu     sync.Mutex
	asked  uint64            // how often the source was asked or told of a change
	newest uint64            // the number of that from which held is
	held   *source.ChangeSet // what the source last held, nil: it was never read
	since  time.Time         // when that was known
	saved  string            // checksum of what the file has
	failed bool              // the file could not be written, and the log has been told
	stale  time.Time         // when what is answered was true; zero: the source answers itself
	why    error             // why it does not
}

// NewSource returns s with its values kept in the file at path, which only this user may
// read. The file is replaced as a whole: there is never half of one.
func NewSource(s source.Source, path string, opts ...Option) source.Source {
	kept := &snapshot{Source: s, path: path, maxAge: MaxAge}
	for _, o := range opts {
		o(kept)
	}
	return kept
}

// content is what the file has: JSON.
type content struct {
	Source   string
	Format   string
	Time     time.Time
	Checksum string
	Data     []byte
}

// Read returns what the source holds or, if it cannot be read, what it last held.
func (s *snapshot) Read() (*source.ChangeSet, error) {
	number := s.ask()
	set, err := s.Source.Read()
	if err == nil {
		s.keep(set, number)
		return set, nil
	}
	kept, known, reason := s.last()
	if reason != nil {
		return nil, errors.Join(err, reason)
	}
	s.mu.Lock()
	told := known || !s.stale.IsZero()
	if number >= s.newest { // else the source told something meanwhile
		s.stale, s.why = kept.Timestamp, err
	}
	s.mu.Unlock()
	if !told {
		logger.Warnf("Config [%s] The source is away; the configuration is the one of %s ago, from %q: %v",
			s.Source, time.Since(kept.Timestamp).Round(time.Second), s.path, err)
	}
	return kept, nil
}

// ask returns the number of a question to the source that is asked now.
func (s *snapshot) ask() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.asked
}

// last returns what the source last held, and whether this process knows that by itself
// and not from the file.
func (s *snapshot) last() (set *source.ChangeSet, known bool, err error) {
	s.mu.Lock()
	held, since := s.held, s.since
	s.mu.Unlock()
	if held == nil {
		set, err = s.load()
		return set, false, err
	}
	kept := *held
	kept.Timestamp = since
	return &kept, true, nil
}

// Status is that of the source. While what it last held answers for it, it is not live,
// and Confirmed says how old the values are.
func (s *snapshot) Status() source.Status {
	status := source.Status{Source: s.String(), Live: true}
	reporter, reports := s.Source.(source.Reporter)
	if reports {
		status = reporter.Status()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale.IsZero() || reports && status.Live && s.held != nil { // it is back, and nothing has changed
		return status
	}
	status.Live, status.Confirmed, status.Err = false, s.stale, s.why
	return status
}

// SetInstance hands who reads to the source.
func (s *snapshot) SetInstance(i source.Instance) {
	if wrapped, ok := s.Source.(source.Instanced); ok {
		wrapped.SetInstance(i)
	}
}

// Locate asks the source where a value comes from.
func (s *snapshot) Locate(path ...string) (key string, revision int64, ok bool) {
	if wrapped, is := s.Source.(source.Locator); is {
		return wrapped.Locate(path...)
	}
	return "", 0, false
}

// SetApplied tells the source what is in force.
func (s *snapshot) SetApplied(now source.Applied) {
	if wrapped, ok := s.Source.(source.Informed); ok {
		wrapped.SetApplied(now)
	}
}

// Leave implements source.Leaver for the source.
func (s *snapshot) Leave(ctx context.Context) error {
	if wrapped, ok := s.Source.(source.Leaver); ok {
		return wrapped.Leave(ctx)
	}
	return nil
}

// keep takes what the source answered to a question, unless it has answered a later one,
// and writes it into the file. That it cannot be written is told once, and harms nothing
// but a later start.
func (s *snapshot) keep(set *source.ChangeSet, number uint64) {
	if set == nil {
		return // there is nothing to keep, and the Loader says so
	}
	s.mu.Lock()
	late := number < s.newest
	if !late {
		s.newest, s.held, s.since = number, set, time.Now()
		s.stale, s.why = time.Time{}, nil
	}
	s.mu.Unlock()
	if !late {
		s.write(false)
	}
}

// renew writes the file anew if what it has is still true.
func (s *snapshot) renew() {
	if s.Status().Live {
		s.write(true)
	}
}

// write brings the file up to date, anew where it has the text already.
func (s *snapshot) write(anew bool) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	set, saved := s.held, s.saved
	s.mu.Unlock()
	if set == nil || !anew && saved == set.Sum() {
		return
	}
	err := s.save(set)
	s.mu.Lock()
	told := s.failed
	if s.failed = err != nil; err == nil {
		s.saved = set.Sum()
	}
	s.mu.Unlock()
	if err != nil && !told {
		logger.Warnf("Config [%s] A start while the source is away will go by older values: %v", s.Source, err)
	}
}

func (s *snapshot) save(set *source.ChangeSet) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep configuration in %q: %w", s.path, err)
		}
	}()
	text, err := json.Marshal(content{Source: s.String(), Format: set.Format, Time: time.Now(), Checksum: set.Sum(), Data: set.Data})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), "."+filepath.Base(s.path)+".*") // only this user may read it
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func (s *snapshot) load() (*source.ChangeSet, error) {
	text, err := os.ReadFile(s.path)
	if err != nil {
		return nil, fmt.Errorf("read what was kept of it: %w", err)
	}
	var c content
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("read what was kept of it in %q: %w", s.path, err)
	}
	set := &source.ChangeSet{Data: c.Data, Format: c.Format, Source: c.Source, Timestamp: c.Time, Checksum: c.Checksum}
	if set.Sum() != c.Checksum || c.Source != s.String() {
		return nil, fmt.Errorf("read what was kept of it in %q: the file is damaged or of another source", s.path)
	}
	if age := time.Since(c.Time); s.maxAge > 0 && age > s.maxAge {
		return nil, fmt.Errorf("read what was kept of it in %q: it is %s old, and not believed after %s", s.path, age.Round(time.Second), s.maxAge)
	}
	return set, nil
}
