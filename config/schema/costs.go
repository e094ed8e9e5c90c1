package schema

import (
	"container/heap"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxWork bounds the steps of one judgement; a million take about half a second. A
// schema of some hundred bytes can ask for more than any machine will ever do, by
// alternatives that each refer to alternatives.
const maxWork = 2e6

// costs tells how many steps a judgement takes, without taking them.
type costs struct {
	root  *jsonschema.Schema
	all   []*jsonschema.Schema           // one that judges a value because of another one comes after it
	place map[*jsonschema.Schema]int     // in all
	fixed map[*jsonschema.Schema]float64 // what it costs whatever the value is
}

func newCosts(root *jsonschema.Schema) (*costs, error) {
	c := &costs{root: root, place: make(map[*jsonschema.Schema]int), fixed: make(map[*jsonschema.Schema]float64)}
	depth := make(map[*jsonschema.Schema]int) // of those below it that judge the same value, 0 while it is looked at
	var visit func(s *jsonschema.Schema) error
	visit = func(s *jsonschema.Schema) error {
		if s.RecursiveRef != nil || s.DynamicRef != nil {
			return errors.New("$dynamicRef and $recursiveRef are not taken: use $ref")
		}
		depth[s] = 0
		deepest := 0
		for _, one := range inPlace(s) {
			if d, seen := depth[one]; !seen {
				if err := visit(one); err != nil {
					return err
				}
			} else if d == 0 {
				return fmt.Errorf("%s refers to itself without end", location(s))
			}
			deepest = max(deepest, depth[one])
		}
		if depth[s] = deepest + 1; depth[s] > maxInPlace {
			return fmt.Errorf("%s leads to more than %d schemas, each by way of the one before", location(s), maxInPlace)
		}
		c.all = append(c.all, s)
		c.fixed[s] = fixed(s)
		return nil
	}
	todo := []*jsonschema.Schema{root}
	for found := map[*jsonschema.Schema]bool{root: true}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, seen := depth[s]; !seen {
			if err := visit(s); err != nil {
				return nil, err
			}
		}
		for _, one := range slices.Concat(inPlace(s), below(s)) {
			if !found[one] {
				found[one] = true
				todo = append(todo, one)
			}
		}
	}
	slices.Reverse(c.all)
	for i, s := range c.all {
		c.place[s] = i
	}
	return c, nil
}

// bound returns an error if judging a document takes too many steps.
func (c *costs) bound(document any) error {
	left := float64(maxWork)
	return c.walk(document, map[int]float64{c.place[c.root]: 1}, 0, &left)
}

// walk takes the cost of v from left, if so many times each schema judges it.
func (c *costs) walk(v any, times map[int]float64, depth int, left *float64) error {
	if n, ok := v.(stdjson.Number); ok {
		if err := checkNumber(n); err != nil {
			return err
		}
	}
	order := make(places, 0, len(times))
	for i := range times {
		order = append(order, i)
	}
	heap.Init(&order)
	for len(order) > 0 {
		i := heap.Pop(&order).(int)
		s := c.all[i]
		if *left -= times[i] * (c.fixed[s] + variable(s, v) + float64(depth)/8); *left < 0 {
			return fmt.Errorf("it would take more than %.0f steps: let the schema have fewer alternatives", float64(maxWork))
		}
		for _, one := range inPlace(s) {
			k := c.place[one]
			if _, there := times[k]; !there {
				heap.Push(&order, k)
			}
			times[k] += times[i]
		}
	}
	each := func(one any, schemas func(s *jsonschema.Schema) []*jsonschema.Schema) error {
		var below map[int]float64
		for i, n := range times {
			for _, s := range schemas(c.all[i]) {
				if below == nil {
					below = make(map[int]float64)
				}
				below[c.place[s]] += n
			}
		}
		return c.walk(one, below, depth+1, left)
	}
	switch v := v.(type) {
	case map[string]any:
		for name, one := range v {
			if err := each(one, func(s *jsonschema.Schema) []*jsonschema.Schema { return ofField(s, name) }); err != nil {
				return err
			}
			if err := each(name, func(s *jsonschema.Schema) []*jsonschema.Schema { return some(s.PropertyNames) }); err != nil {
				return err
			}
		}
	case []any:
		for n, one := range v {
			if err := each(one, func(s *jsonschema.Schema) []*jsonschema.Schema { return ofElement(s, n) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// places is a heap.Interface of places, the first of all first.
type places []int

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i] < p[j] }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *places) Push(x any)        { *p = append(*p, x.(int)) }
func (p *places) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// fixed is what it costs to judge any value by s alone.
func fixed(s *jsonschema.Schema) float64 {
	n := 1 + len(s.Required) + len(s.Dependencies) + len(s.DependentRequired)
	if s.Enum != nil {
		n += values(s.Enum.Values)
	}
	if s.Const != nil {
		n += values(*s.Const)
	}
	return float64(n)
}

// values counts the values in v.
func values(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, one := range v {
			n += values(one)
		}
	case []any:
		for _, one := range v {
			n += values(one)
		}
	}
	return n
}

// variable is what it costs beyond that to judge v itself.
func variable(s *jsonschema.Schema, v any) float64 {
	switch v := v.(type) {
	case string:
		n := float64(len(v)) / 64
		if s.Pattern != nil {
			n += matchCost(s.Pattern, v)
		}
		return n
	case map[string]any:
		n := float64(len(v))
		for pattern := range s.PatternProperties {
			for name := range v {
				n += matchCost(pattern, name)
			}
		}
		return n
	case []any:
		n := float64(len(v))
		if s.UniqueItems {
			lists := 0.0 // are compared one by one
			for _, one := range v {
				switch one.(type) {
				case map[string]any, []any:
					lists++
				}
			}
			n += lists * lists / 16
		}
		return n
	}
	return 0
}
