// Package disk keeps what was last known of services beyond the end of a
// process, one file for each service, so that a program can start while the
// registry is away.
package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// Suffix ends the name of every file.
const Suffix = ".services"

// Store is a directory with such files. Several processes may share it: a file is
// replaced as a whole, and the last one wins. Its methods are safe for concurrent
// use. The zero value is not usable.
type Store struct {
	// Dir is the directory. It is made when something is first saved.
	Dir string
	// Registry names the registry that the data is from. A file about another one
	// is refused.
	Registry string
	// MaxAge is the age from which a file is refused. Zero means never.
	MaxAge time.Duration
}

// Saved is what a file says of one service.
type Saved struct {
	// Services holds one entry per version.
	Services []*registry.Service
	// Confirmed is when the registry last vouched for it.
	Confirmed time.Time
}

// Path returns the name of the service's file.
func (s *Store) Path(service string) string {
	return filepath.Join(s.Dir, url.QueryEscape(service)+Suffix)
}

// Save replaces the file of the service. A reader, and a machine that loses power,
// is left with the file as it was or as it is to be, never with half of it.
func (s *Store) Save(service string, data Saved) error {
	text, err := encode(content{
		Registry: s.Registry, Service: service,
		Confirmed: data.Confirmed.UTC().Round(0), Services: data.Services,
	})
	if err != nil {
		return fmt.Errorf("save what is known of %q: %w", service, err)
	}
	if err := s.replace(s.Path(service), text); err != nil {
		return fmt.Errorf("save what is known of %q: %w", service, err)
	}
	return nil
}

func (s *Store) replace(path string, text []byte) (err error) {
	if len(text) > maxSize {
		return fmt.Errorf("it takes %d bytes, more than the %d that are read back", len(text), maxSize)
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	if err := checkDir(s.Dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.Dir, ".saving-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// clockSlack is how much later than now a file may have been confirmed.
const clockSlack = time.Second

// Load reads the file of the service as of now. The error wraps fs.ErrNotExist if
// there is none, and otherwise says why the file is refused: whoever can write it
// says where calls go, so it has to be a file of this user that no other may change.
func (s *Store) Load(service string, now time.Time) (Saved, error) {
	text, err := read(s.Path(service))
	if errors.Is(err, fs.ErrNotExist) {
		return Saved{}, err
	}
	if err == nil {
		var r content
		if r, err = decode(bytes.TrimSpace(text)); err == nil {
			err = s.accept(service, r, now)
		}
		if err == nil {
			return Saved{Services: r.Services, Confirmed: r.Confirmed}, nil
		}
	}
	return Saved{}, fmt.Errorf("load %q: %w", s.Path(service), err)
}

// accept returns what is against the content of a file.
func (s *Store) accept(service string, r content, now time.Time) error {
	age := now.Sub(r.Confirmed)
	switch {
	case r.Service != service:
		return fmt.Errorf("it is about service %q, not %q", r.Service, service)
	case r.Registry != s.Registry:
		return fmt.Errorf("it is from registry %s, not %s", r.Registry, s.Registry)
	case age < -clockSlack:
		return fmt.Errorf("it is from the future: %s from now, so its age cannot be told", -age.Round(time.Second))
	case s.MaxAge > 0 && age > s.MaxAge:
		return fmt.Errorf("it is %s old, more than %s", age.Round(time.Second), s.MaxAge)
	}
	return nil
}
