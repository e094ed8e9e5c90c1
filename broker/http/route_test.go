package http

import (
	"testing"
	"time"
)

// Who has failed lately is taken last, and so is who holds half of what is under way: a
// member that is silent does not get all of it because another one failed once.
func TestChoose(t *testing.T) {
	t.Parallel()
	lately := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		members []member
		want    int
	}{
		"nobody":                             {nil, -1},
		"the one with the fewest":            {[]member{{under: 3}, {under: 1}, {under: 2}}, 1},
		"who has not failed":                 {[]member{{avoid: lately}, {under: 3}}, 1},
		"who failed, rather than who hoards": {[]member{{avoid: lately}, {under: 4}}, 0},
		"who hoards less":                    {[]member{{under: 7}, {under: 4}}, 1},
		"neither failed nor hoards":          {[]member{{avoid: lately}, {under: 4}, {under: 3}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &queue{}
			for _, m := range c.members {
				q.members = append(q.members, &m)
			}
			p := &publisher{}
			for range len(c.members) + 1 { // wherever its turn begins
				got := p.choose(q)
				if c.want < 0 {
					if got != nil {
						t.Errorf("chose %+v", got)
					}
					return
				}
				if got != q.members[c.want] {
					t.Errorf("chose %+v", got)
				}
				got.under--
			}
		})
	}
}

// A silent member gets half of the messages at the most, while another one takes them but
// has failed lately.
func TestASilentMemberGetsHalf(t *testing.T) {
	t.Parallel()
	silent, living := &member{}, &member{avoid: time.Now().Add(time.Hour)}
	q, p := &queue{members: []*member{silent, living}}, &publisher{}
	for range 1000 {
		if p.choose(q) == living {
			living.under--
		}
	}
	if silent.under != fairShare {
		t.Errorf("it got %d messages", silent.under)
	}
}
