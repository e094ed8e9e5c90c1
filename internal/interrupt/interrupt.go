// Package interrupt turns the signals that stop a process into the end of a context.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// OneSignal is how long signals count as one, whatever they are: a supervisor that
// signals a process, and then the group that it belongs to, means to stop it once.
const OneSignal = 20 * time.Millisecond

// Until returns a context that is done when ctx is, or at the first SIGTERM,
// SIGINT or SIGQUIT. From that signal on they have their ordinary effect again, so
// that a second one ends a process which takes too long to stop. release ends the
// catching and the goroutine behind it.
func Until(ctx context.Context) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt, syscall.SIGQUIT)
	released, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-signals:
			timer := time.NewTimer(OneSignal)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-released:
			}
			signal.Stop(signals) // before anybody hears of the first
			cancel()
		case <-released:
		}
	}()
	return ctx, func() {
		close(released)
		<-done
		signal.Stop(signals)
		cancel()
	}
}
