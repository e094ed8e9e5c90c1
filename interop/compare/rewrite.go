package compare

import (
	"bytes"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
)

// Rewrite returns a Go file with the import paths that home says, which is Home or knows
// more. It adds to left the paths that stay though they are of v2's world, with why. What is
// no Go file stays as it is.
func Rewrite(text []byte, home func(path string) (home, why string), left map[string]string) []byte {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", text, parser.ImportsOnly)
	if err != nil {
		return text
	}
	var changed bytes.Buffer
	done := 0
	for _, spec := range file.Imports {
		old, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		now, why := home(old)
		if now == "" {
			if why != "" {
				left[old] = why
			}
			continue
		}
		at := files.Position(spec.Path.Pos()).Offset
		changed.Write(text[done:at])
		if before := name(old); spec.Name == nil && now != New && before != name(now) {
			changed.WriteString(before + " ") // what the file calls it
		}
		changed.WriteString(strconv.Quote(now))
		done = at + len(spec.Path.Value)
	}
	changed.Write(text[done:])
	return changed.Bytes()
}

// name returns what a package is called by who imports it without a name, as far as its
// path says it.
func name(importPath string) string {
	base := path.Base(importPath)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(importPath))
	}
	return base
}
