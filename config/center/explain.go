package center

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	format "github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/keytree"
)

// Explanation says what an instance reads at a path, and why.
type Explanation struct {
	Path  string  `json:"path"`
	Value *string `json:"value"` // JSON, nil if there is none
	// Given is what keys have for it: what lies over others first, and what instances
	// alone read that this one is none of last.
	Given []Given `json:"given"`
	// Unread says which keys or grays cannot be read and so do not count, and why.
	Unread []string `json:"unread,omitempty"`
}

// Given is what one key has for a path.
type Given struct {
	Layer    string `json:"layer"` // who it is for
	Key      string `json:"key"`
	Revision int64  `json:"revision"`
	// Value is what the key has at the path, JSON, or all that it has if it lies below.
	// It is nil where a gray takes the key away.
	Value *string `json:"value"`
	// Gray is the name of the gray that the key stands in, and For who has that. Others do
	// not read it.
	Gray string `json:"gray,omitempty"`
	For  string `json:"for,omitempty"`
	// Counts says that it is the value, or a part of it; Why says why, or why not.
	Counts bool   `json:"counts"`
	Why    string `json:"why"`
}

// Explain returns what an instance reads at a path with the layers of its service and
// its environment, and which key gives it. What is not known of the instance, such as
// its node, puts no gray in force that asks for it.
func (c *Center) Explain(ctx context.Context, reader source.Instance, path string) (Explanation, error) {
	x := Explanation{Path: path, Given: []Given{}}
	prefix := c.prefix(KindValue)
	layers := keytree.NewLayers(reader.Service, reader.Environment)
	var ranges []etcd.Range
	for _, layer := range layers.Prefixes() {
		ranges = append(ranges, etcd.Range{From: prefix + strings.TrimSuffix(layer, "/")})
		for _, key := range above([]string{path + "/"}) {
			ranges = append(ranges, etcd.Range{From: prefix + layer + key})
		}
		ranges = append(ranges, etcd.Below(prefix+layer+path+"/"))
	}
	entries, err := c.entries(ctx, KindValue, fmt.Sprintf("explain %q", path), ranges)
	if err != nil {
		return x, err
	}
	grays, err := c.Grays(ctx)
	if errors.Is(err, fs.ErrPermission) {
		x.Unread = append(x.Unread, fmt.Sprintf("what is for some nodes alone: %v", err))
	} else if err != nil {
		return x, err
	}
	view := keytree.NewView(keytree.Keys{Prefix: prefix, Layers: layers}, format.NewEncoder())
	for _, e := range entries {
		if err := view.Put(prefix+e.Key, []byte(e.Value), e.Revision); err != nil {
			x.Unread = append(x.Unread, fmt.Sprintf("key %q: %v", e.Key, err))
		}
	}
	matches := make(map[string]Match)
	for _, g := range grays {
		if g.Unread != "" {
			x.Unread = append(x.Unread, fmt.Sprintf("gray %q: %s", g.Name, g.Unread))
			continue
		}
		matches[g.Name] = g.Match
		one := keytree.Gray{Holds: func(i source.Instance) bool { return g.Match.Holds(g.Name, i) }, Values: make(map[string]*string)}
		for key, text := range g.Values {
			one.Values[prefix+key] = text
		}
		view.PutGray(g.Name, g.Name, one, nil, g.Revision)
	}
	for _, r := range view.RefusedGrays() {
		x.Unread = append(x.Unread, fmt.Sprintf("gray %q: %v", r.Key, r.Err))
	}
	view.SetReader(reader)
	value, givers := view.Explain(strings.Split(path, "/"))
	x.Value = spelled(value)
	for n, g := range givers {
		one := Given{Layer: layerName(g.Layer), Key: strings.TrimPrefix(g.Key, prefix), Revision: g.Revision, Value: spelled(g.Value), Gray: g.Gray, Counts: g.Counts}
		if g.Gray != "" {
			one.For = matches[g.Gray].String()
		}
		one.Why = why(givers, n, value)
		x.Given = append(x.Given, one)
	}
	return x, nil
}

func why(all []keytree.Giver, n int, value any) string {
	g := all[n]
	_, object := value.(map[string]any)
	switch {
	case !g.Reads:
		return "for others alone"
	case g.Counts && g.Gray != "" && g.Value == nil:
		return "takes the key away"
	case g.Counts && object && (n > 0 || len(all) > 1 && all[1].Counts):
		return "a part of it"
	case g.Counts || n == 0 && g.Value != nil:
		return "nothing lies over it"
	case n == 0:
		return "there is nothing to take away"
	}
	return fmt.Sprintf("%s lies over it", overName(all[0]))
}

func overName(g keytree.Giver) string {
	if g.Gray != "" {
		return fmt.Sprintf("gray %q", g.Gray)
	}
	return "what is for " + layerName(g.Layer)
}

func layerName(of keytree.Layer) string {
	switch {
	case of.Service != nil && of.Environment != nil:
		return fmt.Sprintf("service %s in environment %s", *of.Service, *of.Environment)
	case of.Service != nil:
		return "service " + *of.Service
	case of.Environment != nil:
		return "environment " + *of.Environment
	}
	return "everybody"
}

// spelled returns a value as JSON, nil for none.
func spelled(value any) *string {
	if value == nil {
		return nil
	}
	text, err := encode(value, "")
	if err != nil {
		return nil // it was read from JSON
	}
	one := strings.TrimSuffix(string(text), "\n")
	return &one
}
