package grpc

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/secure"
)

// TestWhoIsTurnedAwayDoesNotStay turns somebody away who then says nothing more. The
// server that handed the connection over takes its deadline away afterwards, as grpc does.
func TestWhoIsTurnedAwayDoesNotStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turned := startTurned()
		defer turned.stop()
		caller, conn := net.Pipe()
		began := time.Now()
		turned.hand(conn, secure.ErrPlaintext)
		synctest.Wait()
		if err := conn.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, caller) // until the server closes
		if lasted := time.Since(began); lasted > turnedAge {
			t.Errorf("it lasted %v", lasted)
		}
	})
}
