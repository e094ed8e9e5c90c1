package web

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
)

// TestAStopUnderLoadLosesNoRequest stops one of two nodes while callers go on.
func TestAStopUnderLoadLosesNoRequest(t *testing.T) {
	r := newMemory(t)
	a, b := newTest(t, r, DeregisterDelay(defaults.DeregisterDelay)), newTest(t, r)
	served := make(chan struct{}, 1)
	a.HandleFunc("/hello", func(w http.ResponseWriter, req *http.Request) {
		select {
		case served <- struct{}{}:
		default:
		}
		hello(w, req)
	})
	b.HandleFunc("/hello", hello)
	start(t, a)
	start(t, b)
	c, stopped := b.Client(), make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for after := 0; after < 20; {
				select {
				case <-stopped:
					after++
				default:
				}
				// POST is not made again, so that none may be lost.
				rsp, err := c.Post("http://go.micro.web.test/hello", "text/plain", strings.NewReader("x"))
				if err != nil {
					t.Errorf("a request was lost: %v", err)
					return
				}
				if rsp.StatusCode != http.StatusOK {
					t.Errorf("answered %s", rsp.Status)
				}
				_ = rsp.Body.Close()
			}
		})
	}
	select {
	case <-served:
	case <-time.After(20 * time.Second):
		t.Error("the node that is to stop serves nothing")
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
	close(stopped)
	callers.Wait()
}

func TestAStopWaitsForWhatIsInFlight(t *testing.T) {
	for name, tc := range map[string]struct {
		grace time.Duration
		whole bool
	}{
		"within its grace": {time.Minute, true},
		"past its grace":   {time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			entered, leave := make(chan struct{}), make(chan struct{})
			s := newService(Name("go.micro.web.test"), Registry(newMemory(t)), Address("127.0.0.1:0"), DeregisterDelay(0), HandleSignal(false), StopGrace(tc.grace))
			s.HandleFunc("/slow", func(w http.ResponseWriter, req *http.Request) {
				close(entered)
				select {
				case <-leave:
				case <-req.Context().Done():
				}
				hello(w, req)
			})
			start(t, s)
			answer := make(chan error, 1)
			c := plain(t)
			go func() {
				rsp, err := c.Get("http://" + s.Options().Address + "/slow")
				if err == nil {
					_ = rsp.Body.Close()
				}
				answer <- err
			}()
			<-entered
			ended := make(chan error, 1)
			go func() { ended <- s.Stop() }()
			testkit.Eventually(t, 10*time.Second, "the node out of the registry", func() bool { return s.Ready() != nil })
			if tc.whole {
				close(leave)
			}
			err, got := <-ended, <-answer
			if tc.whole && (err != nil || got != nil) {
				t.Errorf("stop: %v, answer: %v", err, got)
			}
			if !tc.whole && (err == nil || !strings.Contains(err.Error(), "cut off") || got == nil) {
				t.Errorf("stop: %v, answer: %v", err, got)
			}
		})
	}
}
