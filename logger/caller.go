package logger

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
	"strings"
)

// helperDepth is the CallerSkipCount that stands for the code which called this
// package.
const helperDepth = 2

// ownFunctions is the beginning of the names of this package's functions, frozenFunctions
// that of v2's older logger, which does nothing but call this package.
var (
	ownFunctions    = reflect.TypeFor[Level]().PkgPath() + "."
	frozenFunctions = path.Dir(ownFunctions) + "/compat/util/log."
)

// callSite returns the last directory, file and line of the code that called this
// package, or of a caller further up if skip is more than helperDepth. Frames are
// looked at, not counted, since the number of them within this package differs
// with the way in.
func callSite(skip int) (string, bool) {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	up := max(skip-helperDepth, 0)
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, ownFunctions) && !strings.HasPrefix(frame.Function, frozenFunctions) {
			if up == 0 {
				dir, file := path.Split(frame.File)
				return fmt.Sprintf("%s:%d", path.Join(path.Base(dir), file), frame.Line), frame.File != ""
			}
			up--
		}
		if !more {
			return "", false
		}
	}
}
