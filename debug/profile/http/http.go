// Package http serves the profiles of a program over HTTP, for `go tool pprof`:
//
//	go tool pprof http://localhost:6060/debug/pprof/profile
//
// Whoever reaches the address sees the program's command line and what its memory is used
// for, and can slow it down by asking. It is therefore that of this host alone, unless
// the program chooses another.
package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/rollcall-go/micro/debug/profile"
	"github.com/rollcall-go/micro/logger"
)

// DefaultAddress is where the profiles are served. It is read by Start.
var DefaultAddress = "localhost:6060"

const (
	// headerTimeout bounds how long a request may take to arrive.
	headerTimeout = 5 * time.Second
	// stopGrace is how long Stop waits for profiles that are being taken.
	stopGrace = time.Second
)

// httpProfile is a profile.Profile.
//
// Goroutines: one that serves, from Start to Stop.
type httpProfile struct {
	mu      sync.Mutex // guards what follows
	server  *http.Server
	address string
	done    chan struct{} // closed when server serves no more
}

var _ profile.Profile = (*httpProfile)(nil)

// NewProfile returns a profile that is served under /debug/pprof/ from Start to Stop. The
// value has beside the methods of profile.Profile
//
//	Address() string
//
// which returns where it is served, empty if it is not.
func NewProfile(...profile.Option) profile.Profile { return &httpProfile{} }

// Start listens, and returns an error if it cannot.
func (h *httpProfile) Start() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server != nil {
		return nil
	}
	l, err := net.Listen("tcp", DefaultAddress)
	if err != nil {
		return fmt.Errorf("serve profiles on %q: %w", DefaultAddress, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server, done := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}, make(chan struct{})
	h.server, h.address, h.done = server, l.Addr().String(), done
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			logger.Errorf("Profile [http] Serves no more on %s: %v", l.Addr(), err)
		}
	}()
	logger.Infof("Profile [http] Serving on http://%s/debug/pprof/", l.Addr())
	return nil
}

// Stop cuts off profiles that are still being taken after a second.
func (h *httpProfile) Stop() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server == nil {
		return nil
	}
	server := h.server
	h.server, h.address = nil, ""
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace) // v2's Stop takes no context
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-h.done
	return err
}

// Address returns where the profiles are served, empty if they are not.
func (h *httpProfile) Address() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.address
}

// String returns "http".
func (h *httpProfile) String() string { return "http" }
