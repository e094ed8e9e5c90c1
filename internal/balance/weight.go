package balance

import (
	"fmt"
	"strconv"

	"github.com/rollcall-go/micro/internal/record"
)

// DefaultWeight is the weight of a node that names none, MaxWeight the highest that
// one may name. A node of weight 0 is called if there is no other.
const (
	DefaultWeight = 100
	MaxWeight     = 10000
)

// Weight returns the weight that a node's metadata name. If that is no whole number
// in the bounds, it is the default, and the error says what stands there.
func Weight(metadata map[string]string) (uint16, error) {
	text, ok := metadata[record.Weight]
	if !ok {
		return DefaultWeight, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > MaxWeight {
		const most = 40 // it comes from outside
		return DefaultWeight, fmt.Errorf("read the weight %q: want a whole number from 0 to %d; it counts as %d",
			text[:min(len(text), most)], MaxWeight, DefaultWeight)
	}
	return uint16(n), nil
}
