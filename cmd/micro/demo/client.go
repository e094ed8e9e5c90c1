package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/rollcall-go/micro/client"
)

// Callers is how many calls the client of the demo makes at the same time.
const Callers = 4

// firstCalls is how many calls are made and reported before those that go on until
// they are stopped.
const firstCalls = 400

// Report is what became of some calls.
type Report struct {
	Calls  int            `json:"calls"`
	Failed int            `json:"failed"`
	Error  string         `json:"error,omitempty"` // the first
	Nodes  map[string]int `json:"nodes"`           // answers by node
	Answer HelloResponse  `json:"answer"`          // the last
	Took   time.Duration  `json:"took_ns"`
}

// Add makes r the report of the calls of both.
func (r *Report) Add(more Report) {
	r.Calls += more.Calls
	r.Failed += more.Failed
	r.Took += more.Took
	for node, n := range more.Nodes {
		r.Nodes[node] += n
	}
}

// Call calls the service as the lines of in say, until their end. Each is a number of
// calls to make, or "on" to call without pause until the line "off". After the calls
// a Report is printed as one line of JSON, with "on" also after the first of them.
func Call(ctx context.Context, c client.Client, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var rep Report
		switch order := lines.Text(); order {
		case "on":
			if err := json.NewEncoder(out).Encode(callMany(ctx, c, nil, firstCalls)); err != nil {
				return err
			}
			running, stop := context.WithCancel(ctx)
			reports := make(chan Report, 1)
			go func() { reports <- callMany(ctx, c, running.Done(), -1) }()
			lines.Scan() // "off", or the end
			stop()
			rep = <-reports
		default:
			n, err := strconv.Atoi(order)
			if err != nil || n < 1 {
				return fmt.Errorf("obey %q: give a number, \"on\" or \"off\"", order)
			}
			rep = callMany(ctx, c, nil, n)
		}
		if err := json.NewEncoder(out).Encode(rep); err != nil {
			return err
		}
	}
	return lines.Err()
}

// callMany makes n calls, or if n is negative as many as it can until stop is
// closed.
func callMany(ctx context.Context, c client.Client, stop <-chan struct{}, n int) Report {
	begun := time.Now()
	var mu sync.Mutex
	rep := Report{Nodes: map[string]int{}}
	// next counts a call in, or says that there are no more.
	next := func() bool {
		mu.Lock()
		defer mu.Unlock()
		select {
		case <-stop:
			return false
		default:
		}
		if rep.Calls == n {
			return false
		}
		rep.Calls++
		return true
	}
	var wg sync.WaitGroup
	for range Callers {
		wg.Go(func() {
			for next() {
				req := c.NewRequest(Name, Endpoint, &HelloRequest{Name: "John"}, client.WithContentType("application/json"))
				var rsp HelloResponse
				err := c.Call(ctx, req, &rsp)
				mu.Lock()
				if err != nil {
					rep.Failed++
					if rep.Error == "" {
						rep.Error = err.Error()
					}
				} else {
					rep.Answer = rsp
					rep.Nodes[rsp.Node]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	rep.Took = time.Since(begun)
	return rep
}
