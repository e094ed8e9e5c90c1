package micro_test

import (
	"strings"
	"testing"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/transport"
)

// TestATransportThatIsToBeSecureIsObeyed gives a service what v2 took and forgot.
func TestATransportThatIsToBeSecureIsObeyed(t *testing.T) {
	secure := transport.NewTransport(transport.Secure(true))
	s := micro.NewService(
		micro.Name("secure"), micro.Address("127.0.0.1:0"), micro.Registry(memory.NewRegistry()), micro.HandleSignal(false), micro.Context(t.Context()),
		micro.Transport(secure),
	)
	if s.Server().Options().Transport != secure || s.Client().Options().Transport != secure {
		t.Error("server or client have another transport")
	}
	if err := s.Run(); err == nil || !strings.Contains(err.Error(), "transport.Secure") {
		t.Errorf("a service without a certificate runs with %v", err)
	}
}
