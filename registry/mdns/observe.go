package mdns

import (
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/record"
)

// ObserveRegistration reports the status of a node, beginning with the present one,
// from a goroutine of its own until stop is called: it is held while it is announced
// and some interface takes multicast. stop waits for observe to return, which
// therefore must not call it.
func (b *backend) ObserveRegistration(service, node string, observe func(ability.Status)) (stop func()) {
	o := &observer{b: b, id: record.ID{Service: service, Node: node}, observe: observe, over: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.run()
	}()
	return sync.OnceFunc(func() {
		close(o.over)
		<-done
	})
}

// observer is one call of ObserveRegistration.
type observer struct {
	b       *backend
	id      record.ID
	observe func(ability.Status)
	over    chan struct{} // closed by stop
	held    bool          // it was registered
}

func (o *observer) run() {
	var last ability.Status
	for first := true; ; {
		view, err := o.b.engine.Look(o.id.Service)
		if err != nil {
			return // closed, and with it the registration
		}
		if s := o.status(view.Down); first || !s.Same(last) {
			first, last = false, s
			o.observe(s)
		}
		select {
		case <-view.Changed:
		case <-o.over:
			return
		}
	}
}

// status returns what there is to say now; down is why no interface takes multicast.
func (o *observer) status(down error) ability.Status {
	s := ability.Status{State: ability.Absent, At: time.Now()}
	published := o.b.engine.Publishes(o.id)
	switch {
	case published && down == nil:
		s.State = ability.Held
	case published:
		s.Reason, s.Err = "nobody can hear it", explain(down)
	case o.held:
		s.State, s.Reason = ability.Released, "deregistered"
	default:
		s.Reason = "not registered"
	}
	o.held = o.held || published
	return s
}
