package gray

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/config/source"
)

// Match says which instances a gray is for: those that meet all conditions that it has.
// Of several values of one condition an instance has to have one. At least one condition
// has to be there.
type Match struct {
	Services     []string          `json:"services,omitempty"`
	Environments []string          `json:"environments,omitempty"`
	Nodes        []string          `json:"nodes,omitempty"`    // ids as they are registered
	Hosts        []string          `json:"hosts,omitempty"`    // names as the operating system has them
	Versions     []string          `json:"versions,omitempty"` // of the service
	Metadata     map[string]string `json:"metadata,omitempty"` // of the node, all of them
	// Percent is how many in a hundred of those that meet the other conditions are
	// meant, 0 to 100, nil for all of them. Which ones depends on the name of the gray
	// and the id of the node alone, and one that is meant stays so when it grows.
	Percent *int `json:"percent,omitempty"`
}

// decode reads the conditions.
func (m *Match) decode(text []byte) error {
	if len(text) == 0 || string(text) == "null" {
		return nil // Check tells
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(m)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("the condition %q cannot be a %s", wrong.Field, strings.Fields(wrong.Value + " ")[0])
	case err != nil: // an unknown field: the syntax was read before
		return fmt.Errorf("a condition of its match is not known to this version: %w", err)
	}
	return nil
}

// lists returns the conditions that are lists, by their names.
func (m Match) lists() map[string][]string {
	return map[string][]string{
		"services": m.Services, "environments": m.Environments, "nodes": m.Nodes, "hosts": m.Hosts, "versions": m.Versions,
	}
}

// Check returns why nobody could be meant, or everybody by mistake.
func (m Match) Check() error {
	conditions := len(m.Metadata)
	for name, list := range m.lists() {
		conditions += len(list)
		if list != nil && len(list) == 0 || slices.Contains(list, "") {
			return fmt.Errorf("the condition %q of its match is empty: leave it out, or name one", name)
		}
	}
	if _, empty := m.Metadata[""]; empty || m.Metadata != nil && len(m.Metadata) == 0 {
		return errors.New(`the condition "metadata" of its match is empty: leave it out, or name one`)
	}
	switch {
	case m.Percent != nil && (*m.Percent < 0 || *m.Percent > 100):
		return fmt.Errorf("it is for %d percent: give 0 to 100", *m.Percent)
	case conditions == 0 && m.Percent == nil:
		return errors.New("its match has no condition, so it would be for everybody: name one, or 100 percent")
	}
	return nil
}

// Holds reports whether the gray of that name is for an instance. What is not known of
// an instance meets no condition.
func (m Match) Holds(name string, i source.Instance) bool {
	among := func(list []string, one string) bool { return len(list) == 0 || one != "" && slices.Contains(list, one) }
	if !among(m.Services, i.Service) || !among(m.Environments, i.Environment) || !among(m.Nodes, i.Node) ||
		!among(m.Hosts, i.Host) || !among(m.Versions, i.Version) {
		return false
	}
	for key, value := range m.Metadata {
		if has, ok := i.Metadata[key]; !ok || has != value {
			return false
		}
	}
	return m.Percent == nil || *m.Percent == 100 || i.Node != "" && Share(name, i.Node) < float64(*m.Percent)
}

// Share is where a node stands for the gray of that name, from 0 to just below 100: a
// share of so many percent reaches it if it is greater. It is the first 8 bytes of the
// SHA-256 of name, a zero byte and node, as a number with the highest byte first, of all
// such numbers. Each name puts the nodes into another order, so that it is not always
// the same ones that come first, and no node moves when others come and go.
func Share(name, node string) float64 {
	sum := sha256.Sum256([]byte(name + "\x00" + node))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (math.MaxUint64>>11 + 1) * 100
}

// String says in words who is meant.
func (m Match) String() string {
	var all []string
	lists := m.lists()
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if len(lists[name]) > 0 {
			all = append(all, strings.TrimSuffix(name, "s")+" "+strings.Join(lists[name], " or "))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Metadata)) {
		all = append(all, key+"="+m.Metadata[key])
	}
	text := strings.Join(all, ", ")
	if m.Percent == nil {
		return text
	}
	if text != "" {
		text = " of " + text
	}
	return fmt.Sprintf("%d%%%s", *m.Percent, text)
}

// equal reports whether two matches are spelled alike.
func (m Match) equal(o Match) bool {
	mine, others := m.lists(), o.lists()
	for name := range mine {
		if !slices.Equal(mine[name], others[name]) {
			return false
		}
	}
	return maps.Equal(m.Metadata, o.Metadata) && (m.Percent == nil) == (o.Percent == nil) && (m.Percent == nil || *m.Percent == *o.Percent)
}
