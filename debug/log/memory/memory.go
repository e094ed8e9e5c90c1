// Package memory is a log in memory, as log.NewLog makes it.
package memory

import "github.com/rollcall-go/micro/debug/log"

// DefaultSize is how many records a log keeps unless log.Size says otherwise.
var DefaultSize = 1024

// NewLog returns a log that keeps the newest records.
func NewLog(opts ...log.Option) log.Log {
	return log.NewLog(append([]log.Option{log.Size(DefaultSize)}, opts...)...)
}
