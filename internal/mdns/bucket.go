package mdns

import "time"

// bucket limits a rate: so many a second, and so many at once after a pause. The
// zero time fills it.
type bucket struct {
	perSecond, burst float64
	tokens           float64
	at               time.Time // when tokens was right
}

// take takes a token, false if there is none.
func (b *bucket) take(now time.Time) bool {
	b.fill(now)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// isEmpty reports whether take would find none.
func (b *bucket) isEmpty(now time.Time) bool {
	b.fill(now)
	return b.tokens < 1
}

// spend takes as much as n, also more than there is.
func (b *bucket) spend(n float64, now time.Time) {
	b.fill(now)
	b.tokens -= n
}

// reserve takes a token, be it one of the future, and returns how long it is until
// there is one.
func (b *bucket) reserve(now time.Time) time.Duration {
	b.fill(now)
	b.tokens--
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.perSecond * float64(time.Second))
}

func (b *bucket) fill(now time.Time) {
	if b.at.IsZero() {
		b.tokens = b.burst
	} else {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.at).Seconds()*b.perSecond)
	}
	b.at = now
}
