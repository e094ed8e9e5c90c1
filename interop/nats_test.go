package interop_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/nats"
	"github.com/rollcall-go/micro/internal/testkit"
)

// natsLine is what a natspeer reads and writes.
type natsLine struct {
	Topic   string
	Message *broker.Message
}

// natsPatience is how long a message may take.
const natsPatience = 20 * time.Second

// startNATSPeer starts v2's natspeer, and returns what publishes by it and what it gets.
func startNATSPeer(t *testing.T, binary, address, topic, queue string) (publish func(natsLine), got <-chan natsLine) {
	t.Helper()
	// It ends with the test.
	cmd := exec.CommandContext(t.Context(), binary, "-address", address, "-topic", topic, "-queue", queue)
	var log log
	cmd.Stderr = &log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		<-ended
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("output of natspeer:\n%s", log.String())
		}
	})
	lines := make(chan natsLine, 100)
	go func() {
		defer close(ended)
		for dec := json.NewDecoder(out); ; {
			var l natsLine
			if dec.Decode(&l) != nil {
				return
			}
			lines <- l
		}
	}()
	return func(l natsLine) {
		if err := json.NewEncoder(in).Encode(l); err != nil {
			t.Fatal(err)
		}
	}, lines
}

func TestNATSWithV2(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	binary := filepath.Join(t.TempDir(), "natspeer")
	if err := build("-C", "v2peer", "-o", binary, "./natspeer"); err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string][]broker.Option{"core": nil, "jetstream": {nats.JetStream(nats.Delivery{})}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := func() broker.Broker {
				b := nats.NewBroker(append(opts, broker.Addrs(server.Addr()))...)
				if err := b.Connect(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := b.Disconnect(); err != nil {
						t.Error(err)
					}
				})
				return b
			}
			b := open()
			here := make(chan natsLine, 100)
			record := func(e broker.Event) error { here <- natsLine{e.Topic(), e.Message()}; return nil }
			topic := "go.micro.topic." + name
			if _, err := b.Subscribe(topic, record); err != nil {
				t.Fatal(err)
			}
			publish, there := startNATSPeer(t, binary, server.Addr(), topic, "")
			message := func(id string) *broker.Message {
				return &broker.Message{Header: map[string]string{"Id": id, "Content-Type": "application/json"}, Body: []byte{0, 1, 255, '"', '\n'}}
			}
			arrives := func(where string, got <-chan natsLine, id string) {
				t.Helper()
				select {
				case l := <-got:
					if want := (natsLine{topic, message(id)}); !reflect.DeepEqual(l, want) {
						t.Errorf("%s got %+v, want %+v", where, l, want)
					}
				case <-time.After(natsPatience):
					t.Fatalf("%s got nothing", where)
				}
			}
			// Until v2 has subscribed, its messages are lost.
			testkit.Eventually(t, natsPatience, "v2 gets a message of ours", func() bool {
				if err := b.Publish(topic, message("ours")); err != nil {
					t.Fatal(err)
				}
				arrives("ours", here, "ours")
				return len(there) > 0
			})
			arrives("v2", there, "ours")
			publish(natsLine{topic, message("v2's")})
			arrives("ours", here, "v2's")
		})
	}
}

// TestNATSQueueWithV2 shares a queue out among programs of both kinds.
func TestNATSQueueWithV2(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	binary := filepath.Join(t.TempDir(), "natspeer")
	if err := build("-C", "v2peer", "-o", binary, "./natspeer"); err != nil {
		t.Fatal(err)
	}
	b := nats.NewBroker(broker.Addrs(server.Addr()))
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Disconnect(); err != nil {
			t.Error(err)
		}
	})
	here := make(chan struct{}, 1000)
	if _, err := b.Subscribe("shared", func(broker.Event) error { here <- struct{}{}; return nil }, broker.Queue("q")); err != nil {
		t.Fatal(err)
	}
	_, there := startNATSPeer(t, binary, server.Addr(), "shared", "q")
	sent := 0
	testkit.Eventually(t, natsPatience, "v2 takes part", func() bool {
		sent++
		if err := b.Publish("shared", &broker.Message{}, broker.Confirmed()); err != nil {
			t.Fatal(err)
		}
		return len(there) > 0
	})
	testkit.Eventually(t, natsPatience, "one member gets each message", func() bool { return len(here)+len(there) == sent })
}
