package brokertest

import (
	"cmp"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
)

// Faults shows what a broker promises beyond the faults of the harness, each of which
// happens twice, to a harness of its own.
func Faults(t *testing.T, s Suite) {
	s.Patience = cmp.Or(max(s.Patience, 0), patience)
	names := s.New(t).Faults
	for i, f := range names {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, s)
			b.fault(b.harness.Faults[i])
		})
	}
}

// attempt bounds one publication while something is wrong.
const attempt = time.Second

func (b *bench) fault(f Fault) {
	publisher, subscriber := b.open(broker.StopGrace(b.suite.Patience)), b.open()
	in := b.subscribe(subscriber, "fault", broker.Queue("workers"))
	every := b.subscribe(subscriber, "fault")
	b.reached(publisher, "fault", in, every)
	n := 0
	var taken []string // without an error
	publish := func() {
		body := fmt.Sprintf("%06d", n)
		n++
		ctx, cancel := context.WithTimeout(b.Context(), attempt)
		defer cancel()
		begun := time.Now()
		err := publisher.Publish("fault", &broker.Message{Body: []byte(body)}, broker.PublishContext(ctx))
		if took := time.Since(begun); took > b.suite.Patience {
			b.Errorf("while it was %s, a publication took %s, and may take %s", f.Name, took, attempt)
		}
		if err == nil {
			taken = append(taken, body)
		}
	}
	for range 2 {
		for range 10 {
			publish()
		}
		f.Begin(b.T)
		for range 3 {
			publish()
		}
		f.End(b.T)
		if !b.suite.Promises.Heals {
			continue
		}
		b.until("a message is received after it was "+f.Name, func() bool {
			before := len(taken)
			publish()
			if len(taken) == before {
				return false
			}
			last := taken[len(taken)-1]
			deadline := time.Now().Add(attempt)
			for time.Now().Before(deadline) {
				if in.has(last) && every.has(last) {
					return true
				}
				b.pause()
			}
			return false
		})
	}
	if !b.suite.Promises.AtLeastOnce {
		return
	}
	for _, box := range []*inbox{in, every} {
		b.until("all that was taken is received", func() bool {
			for _, body := range taken {
				if !box.has(body) {
					return false
				}
			}
			return true
		})
	}
}
