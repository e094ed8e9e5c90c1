package claim

import (
	"container/heap"
	"time"
)

// schedule holds items, each with the time at which something is due for it. The
// zero value is empty.
type schedule[T comparable] struct{ dates dates[T] }

// set puts item down for at, in place of what it was down for. With the zero time
// it is taken out.
func (s *schedule[T]) set(item T, at time.Time) {
	i, known := s.dates.places[item]
	switch {
	case at.IsZero() && known:
		heap.Remove(&s.dates, i)
	case at.IsZero():
	case known:
		s.dates.all[i].at = at
		heap.Fix(&s.dates, i)
	default:
		heap.Push(&s.dates, date[T]{item, at})
	}
}

// take takes out and returns an item that is due, if there is one.
func (s *schedule[T]) take(now time.Time) (item T, ok bool) {
	if len(s.dates.all) == 0 || now.Before(s.dates.all[0].at) {
		return item, false
	}
	return heap.Pop(&s.dates).(date[T]).item, true
}

// next returns when the next item is due, zero if there is none.
func (s *schedule[T]) next() time.Time {
	if len(s.dates.all) == 0 {
		return time.Time{}
	}
	return s.dates.all[0].at
}

type date[T comparable] struct {
	item T
	at   time.Time
}

// dates is a heap by time that knows where each item is.
type dates[T comparable] struct {
	all    []date[T]
	places map[T]int
}

func (d *dates[T]) Len() int           { return len(d.all) }
func (d *dates[T]) Less(i, j int) bool { return d.all[i].at.Before(d.all[j].at) }

func (d *dates[T]) Swap(i, j int) {
	d.all[i], d.all[j] = d.all[j], d.all[i]
	d.places[d.all[i].item], d.places[d.all[j].item] = i, j
}

func (d *dates[T]) Push(x any) {
	if d.places == nil {
		d.places = make(map[T]int)
	}
	one := x.(date[T])
	d.places[one.item] = len(d.all)
	d.all = append(d.all, one)
}

func (d *dates[T]) Pop() any {
	last := len(d.all) - 1
	one := d.all[last]
	d.all[last] = date[T]{}
	d.all = d.all[:last]
	delete(d.places, one.item)
	return one
}
