package ability_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// able is a registry with abilities.
type able struct {
	registry.Registry
	err error
}

func (able) Renews() bool                                     { return true }
func (a able) Err() error                                     { return a.err }
func (able) Paused(context.Context, string) ([]string, error) { return []string{"n"}, nil }

// wrapper hides everything but the contract, and says what it wraps.
type wrapper struct {
	registry.Registry
	inner registry.Registry
}

func (w wrapper) Unwrap() registry.Registry { return w.inner }

// opaque has no Unwrap.
type opaque struct{ registry.Registry }

func TestAs(t *testing.T) {
	broken := errors.New("broken")
	inner := able{err: broken}
	twice := wrapper{inner: wrapper{inner: inner}}
	for _, tc := range []struct {
		name  string
		r     registry.Registry
		found bool
	}{
		{"itself", inner, true},
		{"wrapped twice", twice, true},
		{"behind a registry without Unwrap", wrapper{inner: opaque{inner}}, false},
		{"a wrapper around nothing", wrapper{}, false},
		{"nil", nil, false},
	} {
		_, pauser := ability.As[ability.Pauser](tc.r)
		_, observer := ability.As[ability.RegistrationObserver](tc.r)
		err := ability.Check(tc.r)
		if pauser != tc.found || observer || ability.Renews(tc.r) != tc.found || errors.Is(err, broken) != tc.found {
			t.Errorf("%s: pauser %v, observer %v, renews %v, err %v; want found %v", tc.name, pauser, observer, ability.Renews(tc.r), err, tc.found)
		}
	}
}

// rewriter wraps able and has an ability of its own.
type rewriter struct{ wrapper }

func (rewriter) Renews() bool { return false }

func TestAsPrefersTheOutermost(t *testing.T) {
	if ability.Renews(rewriter{wrapper{inner: able{}}}) {
		t.Error("the inner registry answered for a wrapper that answers itself")
	}
}

func TestGenerated(t *testing.T) {
	var none context.Context // what an option without a context holds
	if ability.Generated(none) || ability.Generated(t.Context()) {
		t.Error("a context without the mark carries it")
	}
	if !ability.Generated(ability.WithGenerated(t.Context())) {
		t.Error("the mark is lost")
	}
}

// list is a registry that cannot be compared.
type list struct {
	registry.Registry
	_ []string // keeps == from working
}

func TestSame(t *testing.T) {
	a, b := registry.NewRegistry(), registry.NewRegistry()
	for _, tc := range []struct {
		a, b registry.Registry
		want bool
	}{
		{a, a, true}, {a, b, false}, {opaque{a}, opaque{a}, true}, {opaque{a}, opaque{b}, false}, {a, opaque{a}, false},
		{nil, nil, true}, {a, nil, false}, {nil, a, false}, {list{Registry: a}, list{Registry: b}, true}, {list{Registry: a}, a, false},
		{opaque{list{Registry: a}}, opaque{list{Registry: a}}, true},
	} {
		if got := ability.Same(tc.a, tc.b); got != tc.want {
			t.Errorf("%v and %v: %v", tc.a, tc.b, got)
		}
	}
}
