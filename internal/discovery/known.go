package discovery

import "time"

// Known sums up what a Directory knows at one moment.
type Known struct {
	Services int // names that are followed
	Nodes    int // that calls may be routed to, the suspects among them
	Suspects int
	NotLive  int           // names that the registry does not confirm at present
	Oldest   time.Duration // the greatest age among them
}

// Known sums up what is known now.
func (d *Directory) Known() Known {
	var k Known
	now := time.Now()
	for _, e := range *d.entries.Load() {
		s := e.snapshot.Load()
		k.Services++
		k.Nodes += len(s.Nodes) + len(s.Suspects)
		k.Suspects += len(s.Suspects)
		if s.Origin != Live {
			k.NotLive++
		}
		k.Oldest = max(k.Oldest, s.Age(now))
	}
	return k
}
