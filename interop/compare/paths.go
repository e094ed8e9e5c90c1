package compare

import (
	"slices"
	"strings"
)

// Path says where a package of v2 has its home here.
type Path struct {
	// Old is below v2's root, "." being the root itself. A trailing /... stands for
	// the package and everything below it.
	Old string
	// New is below our root. Empty means the same as Old.
	New string
	// By names what will bring a package that is not there yet.
	By string
	// Why says, of a package that stays out, what it was and what to take instead.
	Why string
}

// here reports whether the package has its home here already.
func (p Path) here() bool { return p.By == "" && p.Why == "" }

// Paths is the table of homes. The first row that fits a package counts.
var Paths = slices.Concat(homes, absent)

// others are packages of v2's world outside its module.
var others = map[string]string{
	"github.com/micro/cli/v2": "github.com/urfave/cli/v2",
}

func (p Path) old() string { return join(Old, p.Old) }

func (p Path) new() string {
	if p.New != "" {
		return join(New, p.New)
	}
	return join(New, p.Old)
}

// name is what the package is called in the account.
func (p Path) name() string {
	if p.Old == "." {
		return "micro"
	}
	return p.Old
}

func (p Path) covers(path string) bool {
	base, below := strings.CutSuffix(p.Old, "/...")
	base = join(Old, base)
	return path == base || below && strings.HasPrefix(path, base+"/")
}

func join(root, path string) string {
	if path == "." {
		return root
	}
	return root + "/" + path
}

// find returns the row for a package of v2.
func find(paths []Path, path string) (Path, bool) {
	for _, p := range paths {
		if p.covers(path) {
			return p, true
		}
	}
	return Path{}, false
}

// homeOf translates the import path of a type in a signature. Of a package that
// is not there yet the old path stays, so that nothing can be equal to it.
func homeOf(paths []Path, path string) string {
	if other, ok := others[path]; ok {
		return other
	}
	if p, ok := find(paths, path); ok && p.here() {
		return p.new()
	}
	return path
}

// bringer returns what will bring the types in a signature that are not there yet.
func bringer(paths []Path, signature string) string {
	_, rest, ok := strings.Cut(signature, Old+"/")
	if !ok {
		return ""
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r == '.' })
	if end < 0 {
		return ""
	}
	p, _ := find(paths, join(Old, rest[:end]))
	return p.By
}
