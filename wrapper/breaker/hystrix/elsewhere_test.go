package hystrix

import (
	"bytes"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/logger"
)

func TestAProgramWithHystrixGoIsToldOnce(t *testing.T) {
	told = sync.Once{}
	log := new(bytes.Buffer)
	if err := logger.Init(logger.WithOutput(log)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = logger.Init(logger.WithOutput(os.Stdout)) })
	tellOfOther(modules()) // of this test, which has it not
	tellOfOther([]*debug.Module{{Path: "example.org/a"}})
	if log.Len() > 0 {
		t.Errorf("told %q", log)
	}
	for range 2 {
		tellOfOther([]*debug.Module{{Path: "example.org/a"}, {Path: other}})
	}
	if n := strings.Count(log.String(), other); n != 1 {
		t.Errorf("told %d times: %q", n, log)
	}
}
