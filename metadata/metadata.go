// Package metadata carries the headers of a request in its context. What a
// program puts there travels with the calls made under that context, and what
// arrived with a request stands there for its handler.
//
// Keys are compared by their Title form: each word starts with a capital,
// Micro-From-Service. Headers arrive in lower case and are set by programs in
// Title form, so one header may stand in a map under two spellings. The Title
// form wins then, as it is the one that the program set last; among several
// others it is the first in byte order. The answer never depends on the order in
// which a map is walked.
package metadata

import (
	"context"
	"iter"
	"maps"
)

// Metadata maps header names to values. The zero value can be read but, like
// any nil map, not written. It is not safe for use while another goroutine
// writes it.
type Metadata map[string]string

// Get returns the value under key as it is spelled, else under its Title form.
func (md Metadata) Get(key string) (string, bool) {
	if val, ok := md[key]; ok {
		return val, true
	}
	val, ok := md[title(key)]
	return val, ok
}

// Set stores val under key as it is spelled. It removes a Title form that the
// new value would otherwise lose against.
func (md Metadata) Set(key, val string) {
	if t := title(key); t != key {
		delete(md, t)
	}
	md[key] = val
}

// Delete removes key, as it is spelled and in its Title form.
func (md Metadata) Delete(key string) {
	delete(md, key)
	delete(md, title(key))
}

// Copy returns a map of its own with the entries of md; never nil.
func Copy(md Metadata) Metadata {
	cp := make(Metadata, len(md))
	maps.Copy(cp, md)
	return cp
}

// normal returns a copy of md with every key in its Title form.
func normal(md Metadata) Metadata {
	out := make(Metadata, len(md))
	for k, v := range md {
		t := title(k)
		if _, twice := out[t]; twice {
			v, _ = find(md, t)
		}
		out[t] = v
	}
	return out
}

// find returns the value of the header whose Title form is t.
func find(md Metadata, t string) (string, bool) {
	if val, ok := md[t]; ok {
		return val, true
	}
	var first string
	found := false
	for k := range md {
		if len(k) == len(t) && title(k) == t && (!found || k < first) {
			first, found = k, true
		}
	}
	return md[first], found
}

type contextKey struct{}

// NewContext returns a context with md in place of any metadata that ctx has.
// md is not copied: whoever hands it over must not write it any more.
func NewContext(ctx context.Context, md Metadata) context.Context {
	return context.WithValue(ctx, contextKey{}, md)
}

// FromContext returns the metadata of ctx with all keys in their Title form, and
// whether ctx has any. The map is a copy and belongs to the caller.
func FromContext(ctx context.Context) (Metadata, bool) {
	md, ok := stored(ctx)
	if !ok {
		return nil, false
	}
	return normal(md), true
}

// Has reports whether ctx has metadata, be it empty. It copies nothing.
func Has(ctx context.Context) bool {
	_, ok := stored(ctx)
	return ok
}

// All goes through the headers of ctx, in no order, with the names in their Title
// form. Unlike FromContext it copies nothing.
func All(ctx context.Context) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) { each(ctx, yield) }
}

// each is apart from All, so that the compiler inlines that.
func each(ctx context.Context, yield func(name, value string) bool) {
	md, _ := stored(ctx)
	for k, v := range md {
		t := title(k)
		if t != k && !wins(md, k, t) {
			continue
		}
		if !yield(t, v) {
			return
		}
	}
}

// wins reports whether k, whose Title form is t and another, is the spelling whose
// value counts.
func wins(md Metadata, k, t string) bool {
	if _, there := md[t]; there {
		return false
	}
	for other := range md {
		if len(other) == len(t) && other < k && title(other) == t {
			return false
		}
	}
	return true
}

// Get returns one header of ctx, whatever the spelling that it is stored under.
// It copies nothing.
func Get(ctx context.Context, key string) (string, bool) {
	md, _ := stored(ctx)
	return find(md, title(key))
}

// Set returns a context in which the header key has the value v, under every
// spelling; an empty v removes it. ctx stays as it is.
func Set(ctx context.Context, k, v string) context.Context {
	md, ok := FromContext(ctx)
	if !ok {
		md = make(Metadata, 1)
	}
	put(md, title(k), v)
	return NewContext(ctx, md)
}

// Delete returns a context without the header k. ctx stays as it is.
func Delete(ctx context.Context, k string) context.Context {
	return Set(ctx, k, "")
}

// MergeContext returns a context with the metadata of ctx and patchMd. Of a
// header in both, patchMd's value is taken if overwrite says so, else that of
// ctx; an empty value in patchMd removes the header if overwrite says so. A nil
// ctx stands for an empty one.
func MergeContext(ctx context.Context, patchMd Metadata, overwrite bool) context.Context {
	if ctx == nil {
		ctx = context.Background()
	}
	old, _ := stored(ctx)
	md := normal(old)
	for k, v := range normal(patchMd) {
		if _, there := md[k]; !there || overwrite {
			put(md, k, v)
		}
	}
	return NewContext(ctx, md)
}

func put(md Metadata, k, v string) {
	if v == "" {
		delete(md, k)
		return
	}
	md[k] = v
}
