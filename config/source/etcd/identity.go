package etcd

import (
	"sync"

	"github.com/rollcall-go/micro/config/source"
)

// identity is who reads the configuration of one source.
type identity struct {
	option, layers source.Instance // what the options say

	mu    sync.Mutex
	given source.Instance // what the service says
	tell  func(source.Instance)
}

// set takes what the service says.
func (d *identity) set(i source.Instance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i.Equal(d.given) {
		return
	}
	d.given = i
	if d.tell != nil {
		d.tell(d.now())
	}
}

// follow makes tell hear who reads now, and whenever that is another one, in order. It
// takes the place of who followed before.
func (d *identity) follow(tell func(source.Instance)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell = tell
	tell(d.now())
}

// now returns who reads. d.mu is held.
func (d *identity) now() source.Instance { return d.option.Or(d.given).Or(d.layers) }
