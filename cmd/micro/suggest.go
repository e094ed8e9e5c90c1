package main

import (
	"fmt"
	"strings"

	"github.com/rollcall-go/micro/internal/similar"
)

// most is how many names an error lists: nobody wants to read more.
const most = 5

// few writes the beginning of a list of names.
func few(names []string) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// suggest returns the names that somebody may have meant: those that contain what
// was given or are contained in it, or else one that differs by few letters.
func suggest(given string, names []string) []string {
	var near []string
	lower := strings.ToLower(given)
	for _, name := range names {
		n := strings.ToLower(name)
		if strings.Contains(n, lower) || strings.Contains(lower, n) {
			near = append(near, name)
		}
	}
	if len(near) == 0 {
		if n := similar.Nearest(given, names); n != "" {
			near = append(near, n)
		}
	}
	return near[:min(len(near), most)]
}
