package grpc

import (
	"runtime/debug"

	"github.com/rollcall-go/micro/logger"
)

// logPanic logs what a handler or a wrapper panicked with, and where.
func logPanic(r any) {
	logger.Errorf("panic recovered: %v", r)
	logger.Error(string(debug.Stack()))
}
