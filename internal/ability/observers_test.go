package ability_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/internal/ability"
)

func TestObserversAreToldInOrder(t *testing.T) {
	var o ability.Observers
	o.Tell(ability.Status{State: ability.Absent, Reason: "before"})
	ctx, cancel := context.WithCancel(t.Context())
	l := o.Add()
	var heard []string
	all := make(chan struct{})
	var listening sync.WaitGroup
	listening.Go(func() {
		l.Listen(ctx, func(s ability.Status) {
			if heard = append(heard, s.State.String()); len(heard) == 3 {
				close(all)
			}
		})
	})
	o.Tell(ability.Status{State: ability.Held})
	o.Tell(ability.Status{State: ability.Paused})
	<-all
	cancel()
	listening.Wait()
	o.Remove(l)
	o.Tell(ability.Status{State: ability.Released}) // to nobody
	if got := strings.Join(heard, " "); got != "absent held paused" {
		t.Errorf("heard %s", got)
	}
	if s := o.Status().State; s != ability.Released {
		t.Errorf("the status is %s", s)
	}
}
