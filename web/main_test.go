package web

import (
	"os"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/logger"
)

func TestMain(m *testing.M) {
	logger.DefaultLogger = logger.NewLogger(logger.WithOutput(os.Stderr)) // examples are judged by what else is printed
	testkit.Main(m)
}
