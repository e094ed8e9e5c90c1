package server

import (
	"context"
	"reflect"
	"testing"
)

type greets interface {
	Hello(ctx context.Context, req, rsp *string) error
}

type greeter struct{}

func (greeter) Hello(context.Context, *string, *string) error { return nil }

func TestMethodsOf(t *testing.T) {
	type described = Methods
	type Greeter struct {
		greets
		described
	}
	g := &Greeter{greeter{}, Methods{{Name: "Hello"}}}
	if got := MethodsOf(g); len(got) != 1 || got[0].Name != "Hello" {
		t.Errorf("%v", got)
	}
	if got := reflect.TypeOf(g).NumMethod(); got != 1 {
		t.Errorf("reflection sees %d methods, want Hello alone", got)
	}
	for _, v := range []any{nil, greeter{}, 1} {
		if got := MethodsOf(v); got != nil {
			t.Errorf("%v has %v", v, got)
		}
	}
}
