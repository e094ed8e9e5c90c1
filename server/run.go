package server

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/rollcall-go/micro/logger"
)

// Run starts DefaultServer, waits for SIGTERM, SIGINT or SIGQUIT, and stops it. A
// second signal ends the process.
func Run() error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT)
	defer signal.Stop(signals)

	if err := Start(); err != nil {
		return err
	}
	logger.Infof("Received signal %s", <-signals)
	signal.Stop(signals)
	return Stop()
}

// Start starts DefaultServer.
func Start() error {
	o := DefaultServer.Options()
	logger.Infof("Starting server %s id %s", o.Name, o.Id)
	return DefaultServer.Start()
}

// Stop stops DefaultServer.
func Stop() error {
	logger.Info("Stopping server")
	return DefaultServer.Stop()
}
