//go:build unix

package disk

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

const (
	// dontWait opens a pipe without a writer at once, and follows no link.
	dontWait = syscall.O_NONBLOCK | syscall.O_NOFOLLOW
	// othersWrite are the bits of a file that others may write, everybodyWrites
	// that of a directory that all may.
	othersWrite     fs.FileMode = 0o022
	everybodyWrites fs.FileMode = 0o002
)

// checkOwner refuses what belongs neither to this user nor to root.
func checkOwner(info fs.FileInfo) error {
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Uid != 0 && int(s.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d, not to this one (%d)", s.Uid, os.Geteuid())
	}
	return nil
}
