package mdns

import (
	"fmt"
	"slices"
)

// look opens sockets that are not open, joins links that are new or failed, and
// reports whether others are in use than before.
func (s *sockets) look() (changed bool, err error) {
	links, err := s.use.find()
	if err != nil {
		return false, err
	}
	fams := slices.Clone(*s.fams.Load())
	var errs []error
	for i := range fams {
		errs = append(errs, s.openFamily(&fams[i]))
	}
	s.fams.Store(&fams)
	s.forget(links, fams)
	works := false
	for _, l := range links {
		if l.source4.IsValid() {
			err := s.join(l, fams[0])
			l.joined4 = err == nil
			errs = append(errs, err)
		}
		if l.has6 {
			err := s.join(l, fams[1])
			l.joined6 = err == nil
			errs = append(errs, err)
		}
		works = works || l.joined4 || l.joined6
	}
	n := near(links)
	s.near.Store(&n)
	changed = signatures(*s.links.Swap(&links)) != signatures(links)
	if !works {
		return changed, nowhere(links, errs)
	}
	return changed, nil
}

// nowhere says that multicast works on none of the links and, in one line, why.
func nowhere(links []*link, errs []error) error {
	err := fmt.Errorf("%w of this host (%s)", ErrNoMulticast, describe(links))
	before := ": "
	for _, why := range errs {
		if why != nil {
			err = fmt.Errorf("%w%s%w", err, before, why)
			before = "; "
		}
	}
	return err
}

// nothing is a packet without questions, which everybody passes over.
var nothing = make([]byte, 12)

// join makes a family hear what is multicast on a link, and finds out whether it can
// multicast there, unless both is known.
func (s *sockets) join(l *link, f family) error {
	if f.heard == nil {
		return nil // the error of the family says why
	}
	key := f.on(l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works[key] {
		return nil
	}
	if err := f.heard.join(&l.ifi); err != nil {
		return fmt.Errorf("join %s: %w", key, err)
	}
	if err := f.ask.send(nothing, f.group, l); err != nil {
		return fmt.Errorf("send over %s: %w", key, err)
	}
	s.works[key] = true
	return nil
}

// forget leaves nothing known of links that are gone.
func (s *sockets) forget(links []*link, fams []family) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.works
	s.works = map[string]bool{}
	for _, l := range links {
		for _, f := range fams {
			if key := f.on(l); known[key] {
				s.works[key] = true
			}
		}
	}
}

// on names f on l, in errors as well.
func (f family) on(l *link) string {
	return fmt.Sprintf("interface %d, %q, to %v", l.ifi.Index, l.ifi.Name, f.group.Addr())
}

func signatures(links []*link) string {
	var all []string
	for _, l := range links {
		all = append(all, fmt.Sprint(l.signature(), l.joined4, l.joined6))
	}
	return fmt.Sprint(all)
}

// openFamily opens both sockets of f, or none.
func (s *sockets) openFamily(f *family) error {
	if f.heard != nil {
		return nil
	}
	heard, err := f.open(Port)
	if err != nil {
		return fmt.Errorf("open port %d for %v: %w", Port, f.group.Addr(), err)
	}
	ask, err := f.open(0)
	if err != nil {
		_ = heard.close()
		return fmt.Errorf("open a port to ask %v from: %w", f.group.Addr(), err)
	}
	f.heard, f.ask, f.askPort = heard, ask, ask.port()
	s.running.Go(func() { s.listen(heard) })
	s.running.Go(func() { s.listen(ask) })
	return nil
}
