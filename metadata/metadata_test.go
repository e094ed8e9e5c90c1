package metadata

import (
	"context"
	"maps"
	"strconv"
	"testing"
)

// spellings is tried many times over, since a map is walked in another order
// each time.
const spellings = 200

func TestFromContextUsesTitleForm(t *testing.T) {
	for key, want := range map[string]string{
		"micro-from-service": "Micro-From-Service",
		"Micro-From-Service": "Micro-From-Service",
		":authority":         ":Authority",
		"x_under score.dot":  "X_under Score.Dot",
		"a1b-2c":             "A1b-2c",
		"ünï":                "Ünï",
		"":                   "",
	} {
		md, ok := FromContext(NewContext(t.Context(), Metadata{key: "v"}))
		if want := (Metadata{want: "v"}); !ok || !maps.Equal(md, want) {
			t.Errorf("FromContext of key %q = %v, %v, want %v, true", key, md, ok, want)
		}
	}
}

func TestFromContextWithout(t *testing.T) {
	if md, ok := FromContext(t.Context()); md != nil || ok {
		t.Errorf("FromContext = %v, %v, want nil, false", md, ok)
	}
	if val, ok := Get(t.Context(), "Key"); val != "" || ok {
		t.Errorf("Get = %q, %v, want nothing", val, ok)
	}
}

func TestTwoSpellings(t *testing.T) {
	for range spellings {
		ctx := NewContext(t.Context(), Metadata{
			"micro-span-id": "incoming", "Micro-Span-Id": "own",
			"x-foo": "last", "x-Foo": "first",
		})
		want := Metadata{"Micro-Span-Id": "own", "X-Foo": "first"}
		if md, _ := FromContext(ctx); !maps.Equal(md, want) {
			t.Fatalf("FromContext = %v, want %v", md, want)
		}
		for _, key := range []string{"micro-span-id", "Micro-Span-Id"} {
			if val, ok := Get(ctx, key); val != "own" || !ok {
				t.Fatalf("Get(%q) = %q, %v, want own", key, val, ok)
			}
		}
		if val, _ := Get(ctx, "X-Foo"); val != "first" {
			t.Fatalf("Get = %q, want first", val)
		}
	}
}

func TestSetReplacesEverySpelling(t *testing.T) {
	in := Metadata{"key": "old", "other": "o"}
	ctx := Set(NewContext(t.Context(), in), "kEy", "new")
	if val, ok := Get(ctx, "KEy"); val != "new" || !ok {
		t.Errorf("Get = %q, %v, want new", val, ok)
	}
	ctx = Set(ctx, "key", "newer")
	if val, ok := Get(ctx, "Key"); val != "newer" || !ok {
		t.Errorf("Get = %q, %v, want newer", val, ok)
	}
	if want := (Metadata{"key": "old", "other": "o"}); !maps.Equal(in, want) {
		t.Errorf("the map handed over became %v", in)
	}
	if val, ok := Get(Set(t.Context(), "a", "b"), "a"); val != "b" || !ok {
		t.Errorf("Get after Set on an empty context = %q, %v", val, ok)
	}
}

func TestDeleteRemovesEverySpelling(t *testing.T) {
	ctx := NewContext(t.Context(), Metadata{"key": "1", "Key": "2", "Rest": "3"})
	md, ok := FromContext(Delete(ctx, "key"))
	if want := (Metadata{"Rest": "3"}); !ok || !maps.Equal(md, want) {
		t.Errorf("FromContext = %v, want %v", md, want)
	}
	if val, _ := Get(ctx, "Key"); val != "2" {
		t.Errorf("the context deleted from has %q, want 2", val)
	}
}

func TestMergeContext(t *testing.T) {
	old := Metadata{"foo": "old", "Keep": "kept"}
	patch := Metadata{"Foo": "new", "Keep": "", "Gone": "", "added": "a"}
	for _, tt := range []struct {
		overwrite bool
		want      Metadata
	}{
		{false, Metadata{"Foo": "old", "Keep": "kept", "Added": "a"}},
		{true, Metadata{"Foo": "new", "Added": "a"}},
	} {
		for range spellings {
			got, _ := FromContext(MergeContext(NewContext(t.Context(), old), patch, tt.overwrite))
			if !maps.Equal(got, tt.want) {
				t.Fatalf("overwrite %v: %v, want %v", tt.overwrite, got, tt.want)
			}
		}
	}
	var none context.Context
	if val, _ := Get(MergeContext(none, Metadata{"A": "b"}, false), "A"); val != "b" {
		t.Errorf("merged into nil: %q, want b", val)
	}
}

func TestMapMethods(t *testing.T) {
	md := Metadata{"Key": "title"}
	if val, ok := md.Get("key"); val != "title" || !ok {
		t.Errorf("Get(key) = %q, %v, want title", val, ok)
	}
	md.Set("key", "lower")
	if want := (Metadata{"key": "lower"}); !maps.Equal(md, want) {
		t.Errorf("after Set: %v, want %v", md, want)
	}
	cp := Copy(md)
	md["Key"] = "both"
	md.Delete("key")
	if len(md) != 0 {
		t.Errorf("after Delete: %v, want nothing", md)
	}
	if want := (Metadata{"key": "lower"}); !maps.Equal(cp, want) {
		t.Errorf("the copy is %v, want %v", cp, want)
	}
	if Copy(nil) == nil {
		t.Error("Copy(nil) = nil, want a map that can be written")
	}
}

func TestGetCopiesNothing(t *testing.T) {
	md := Metadata{}
	for i := range 100 {
		md["Key-"+strconv.Itoa(i)] = "v"
	}
	ctx := NewContext(t.Context(), md)
	if n := testing.AllocsPerRun(100, func() { Get(ctx, "Key-7") }); n != 0 {
		t.Errorf("Get allocates %v times, want none", n)
	}
}

func TestHas(t *testing.T) {
	for _, tt := range []struct {
		ctx  context.Context
		want bool
	}{
		{t.Context(), false},
		{NewContext(t.Context(), Metadata{}), true},
		{NewDeferredContext(t.Context(), func(context.Context) Metadata { return nil }), true},
	} {
		if got := Has(tt.ctx); got != tt.want {
			t.Errorf("%v: %t", tt.ctx, got)
		}
	}
}

func TestDeferredContext(t *testing.T) {
	asked := 0
	ctx := NewDeferredContext(t.Context(), func(context.Context) Metadata {
		asked++
		return Metadata{"x-foo": "bar"}
	})
	if asked != 0 {
		t.Error("asked before anybody wanted to know")
	}
	if v, ok := Get(ctx, "X-Foo"); v != "bar" || !ok {
		t.Errorf("Get: %q, %v", v, ok)
	}
	if md, ok := FromContext(ctx); !ok || md["X-Foo"] != "bar" {
		t.Errorf("FromContext: %v, %v", md, ok)
	}
	if v, _ := Get(Set(ctx, "X-Other", "1"), "x-foo"); v != "bar" {
		t.Errorf("Set lost it: %q", v)
	}
	if v, _ := Get(MergeContext(ctx, Metadata{"A": "b"}, true), "x-foo"); v != "bar" {
		t.Errorf("MergeContext lost it: %q", v)
	}
}

func TestAll(t *testing.T) {
	for _, md := range []Metadata{
		nil,
		{},
		{"Key": "1"},
		{"key": "1", "Other-Key": "2", "x-Multi": "3"},
		{"key": "lower", "Key": "title", "kEY": "mixed"},
		{"x-key": "b", "x-kEY": "first in byte order", "X-KEY": "another"},
	} {
		ctx := NewContext(t.Context(), md)
		want, _ := FromContext(ctx)
		if got := maps.Collect(All(ctx)); !maps.Equal(got, want) {
			t.Errorf("%q: %q, want %q", md, got, want)
		}
	}
	if got := maps.Collect(All(t.Context())); len(got) != 0 {
		t.Errorf("no metadata: %q", got)
	}
	ctx := NewContext(t.Context(), Metadata{"Key": "1", "Micro-From-Service": "x"})
	if n := testing.AllocsPerRun(100, func() {
		sum := 0
		for _, v := range All(ctx) {
			sum += len(v)
		}
		if sum != 2 {
			t.Error(sum)
		}
	}); n != 0 {
		t.Errorf("All allocates %v times, want none", n)
	}
}
