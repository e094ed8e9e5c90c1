package mdns

import (
	"container/heap"
	"time"
)

// agenda is what has to be done, and when. What is done looks for itself whether it
// is still wanted.
type agenda struct{ items items }

type item struct {
	at time.Time
	do func(now time.Time)
}

func (a *agenda) add(at time.Time, do func(now time.Time)) {
	heap.Push(&a.items, item{at, do})
}

// run does what is due.
func (a *agenda) run(now time.Time) {
	for len(a.items) > 0 && !a.items[0].at.After(now) {
		heap.Pop(&a.items).(item).do(now)
	}
}

// wait returns how long nothing is to be done.
func (a *agenda) wait(now time.Time) time.Duration {
	if len(a.items) == 0 {
		return time.Hour
	}
	return max(0, a.items[0].at.Sub(now))
}

// items implements heap.Interface.
type items []item

func (s items) Len() int           { return len(s) }
func (s items) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s items) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *items) Push(x any)        { *s = append(*s, x.(item)) }
func (s *items) Pop() any {
	last := (*s)[len(*s)-1]
	(*s)[len(*s)-1] = item{}
	*s = (*s)[:len(*s)-1]
	return last
}
