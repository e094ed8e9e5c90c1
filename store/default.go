package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/internal/defaults"
)

// DefaultStore is what services are given that choose no store: one in the memory of the
// process. It belongs to the program; set it before the first service is made.
var DefaultStore Store = &deferred{}

var errNoImplementation = errors.New(`no store is linked in; add the import _ "github.com/rollcall-go/micro/store/memory"`)

// deferred is a store that makes the real one on first use, through the hook that
// store/memory fills.
type deferred struct {
	making sync.Mutex
	made   atomic.Pointer[Store]
}

var _ Versioned = (*deferred)(nil)

// store returns the real store.
func (d *deferred) store() (Store, error) {
	if s := d.made.Load(); s != nil {
		return *s, nil
	}
	d.making.Lock()
	defer d.making.Unlock()
	if s := d.made.Load(); s != nil {
		return *s, nil
	}
	construct, ok := defaults.Load[func(...Option) Store](&defaults.Store)
	if !ok {
		return nil, fmt.Errorf("use the default store: %w", errNoImplementation)
	}
	s := construct()
	d.made.Store(&s)
	return s, nil
}

// versioned returns the real store, if its records have versions.
func (d *deferred) versioned() (Versioned, error) {
	s, err := d.store()
	if err != nil {
		return nil, err
	}
	v, ok := s.(Versioned)
	if !ok {
		return nil, fmt.Errorf("use versions: the records of the store %s have none", s)
	}
	return v, nil
}

func (d *deferred) Init(opts ...Option) error {
	s, err := d.store()
	if err != nil {
		return err
	}
	return s.Init(opts...)
}

func (d *deferred) Options() Options {
	s, err := d.store()
	if err != nil {
		return Options{}
	}
	return s.Options()
}

func (d *deferred) Read(key string, opts ...ReadOption) ([]*Record, error) {
	s, err := d.store()
	if err != nil {
		return nil, err
	}
	return s.Read(key, opts...)
}

func (d *deferred) Write(r *Record, opts ...WriteOption) error {
	s, err := d.store()
	if err != nil {
		return err
	}
	return s.Write(r, opts...)
}

func (d *deferred) Delete(key string, opts ...DeleteOption) error {
	s, err := d.store()
	if err != nil {
		return err
	}
	return s.Delete(key, opts...)
}

func (d *deferred) List(opts ...ListOption) ([]string, error) {
	s, err := d.store()
	if err != nil {
		return nil, err
	}
	return s.List(opts...)
}

func (d *deferred) ReadVersion(key string, opts ...ReadOption) (*Record, int64, error) {
	v, err := d.versioned()
	if err != nil {
		return nil, 0, err
	}
	return v.ReadVersion(key, opts...)
}

func (d *deferred) WriteVersion(r *Record, version int64, opts ...WriteOption) (int64, error) {
	v, err := d.versioned()
	if err != nil {
		return 0, err
	}
	return v.WriteVersion(r, version, opts...)
}

func (d *deferred) DeleteVersion(key string, version int64, opts ...DeleteOption) error {
	v, err := d.versioned()
	if err != nil {
		return err
	}
	return v.DeleteVersion(key, version, opts...)
}

// Close closes the real store, if it was made.
func (d *deferred) Close() error {
	if s := d.made.Load(); s != nil {
		return (*s).Close()
	}
	return nil
}

func (d *deferred) String() string {
	s, err := d.store()
	if err != nil {
		return "none"
	}
	return s.String()
}
