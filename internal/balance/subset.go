package balance

import (
	"container/heap"
	"slices"
)

// Subset returns the places, in order, of those size ids that a client with this seed
// calls: the ones with the highest hashes of seed and id. Clients with other seeds
// have other subsets, and all of them together reach each id about equally often. An
// id that comes or goes changes at most one place of a subset.
func Subset(seed uint64, n, size int, id func(int) string) []int {
	if size >= n {
		size = n
	}
	top := make(lowest, 0, max(size, 0))
	for i := range n {
		s := scored{hash(seed, id(i)), i}
		switch {
		case len(top) < size:
			heap.Push(&top, s)
		case size > 0 && top[0].less(s):
			top[0] = s
			heap.Fix(&top, 0)
		}
	}
	places := make([]int, len(top))
	for i := range top {
		places[i] = top[i].place
	}
	slices.Sort(places)
	return places
}

// scored is an id by its place.
type scored struct {
	score uint64
	place int
}

func (s scored) less(o scored) bool {
	return s.score < o.score || s.score == o.score && s.place > o.place
}

// lowest is a heap with the lowest score on top.
type lowest []scored

func (l lowest) Len() int           { return len(l) }
func (l lowest) Less(i, j int) bool { return l[i].less(l[j]) }
func (l lowest) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lowest) Push(s any)        { *l = append(*l, s.(scored)) }

func (l *lowest) Pop() any {
	last := len(*l) - 1
	s := (*l)[last]
	*l = (*l)[:last]
	return s
}

// hash is FNV-1a over id, begun with the seed, and then mixed as splitmix64 does, so
// that ids which differ in their last digit alone are far apart.
func hash(seed uint64, id string) uint64 {
	h := seed ^ 14695981039346656037
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}
