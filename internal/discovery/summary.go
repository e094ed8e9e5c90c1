package discovery

import "time"

// Summary sums up what a Directory knows at one moment.
type Summary struct {
	Services int // names that are followed
	Nodes    int // that calls may be routed to, the suspects among them
	Suspects int
	NotLive  int           // names that the registry does not confirm at present
	Oldest   time.Duration // the greatest age among them
}

// Summary sums up what is known now.
func (d *Directory) Summary() Summary {
	var sum Summary
	now := time.Now()
	for _, e := range *d.entries.Load() {
		s := e.snapshot.Load()
		sum.Services++
		sum.Nodes += len(s.Nodes) + len(s.Suspects)
		sum.Suspects += len(s.Suspects)
		if s.Origin != Live {
			sum.NotLive++
		}
		sum.Oldest = max(sum.Oldest, s.Age(now))
	}
	return sum
}
