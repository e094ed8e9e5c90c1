package micro

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/interrupt"
)

// stubborn is the variable by which TestSecondSignalEndsTheProcess runs itself as a
// service that never gets done with stopping.
const stubborn = "ROLLCALL_TEST_STUBBORN"

// twice is the variable by which TestTwoSignalsAtOnceAreOne runs itself as a process
// that gets two signals of one supervisor.
const twice = "ROLLCALL_TEST_TWICE"

func TestTwoSignalsAtOnceAreOne(t *testing.T) {
	if os.Getenv(twice) != "" {
		ctx, release := interrupt.Until(t.Context())
		defer release()
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			if err := self.Signal(sig); err != nil {
				t.Fatal(err)
			}
			<-time.After(interrupt.OneSignal / 10) // the first has been taken
		}
		<-ctx.Done()
		return
	}
	var err error
	for range 10 { // on a busy machine the second may be too late
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), twice+"=1")
		if err = cmd.Run(); err == nil {
			return
		}
	}
	t.Errorf("the process ended with %v", err)
}

func TestSecondSignalEndsTheProcess(t *testing.T) {
	if os.Getenv(stubborn) != "" {
		s := newNode(t, "a", newMemory(t), nil, HandleSignal(true),
			AfterStart(func() error { fmt.Println("started"); return nil }),
			BeforeStop(func() error { fmt.Println("stopping"); select {} }))
		t.Fatal(s.Run())
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), stubborn+"=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for _, line := range []string{"started", "stopping"} {
			for lines.Scan() && lines.Text() != line {
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != sig {
			t.Errorf("%v twice: the process ended with %v", sig, err)
		}
	}
}
