package main

import (
	"encoding/json"
	"testing"
	"time"

	bare "github.com/nats-io/nats.go"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/nats"
	"github.com/rollcall-go/micro/internal/testkit"
)

// eventsInRound is how many events one measurement of BenchmarkEvents exchanges.
const eventsInRound = 20_000

// BenchmarkEvents exchanges events of 100 bytes by a nats-server, publisher and subscriber
// on connections of their own in this process, beside bare nats.go with the same JSON and
// with the 100 bytes alone. Each iteration measures ours and its base next to each
// other, in every second one in the other order; what is reported is medians.
//
//	go test -C bench -run '^$' -bench Events -benchtime 20x
func BenchmarkEvents(b *testing.B) {
	server := testkit.StartNATS(b)
	message := &broker.Message{Header: map[string]string{"Content-Type": "application/json", "Micro-Id": "1"}, Body: make([]byte, 100)}
	ours := oursByNATS(b, server.URL(), message)
	for name, base := range map[string]func(){
		"json": bareNATS(b, server.URL(), "json", func() ([]byte, error) { return json.Marshal(message) },
			func(data []byte) error { return json.Unmarshal(data, new(broker.Message)) }),
		"bytes": bareNATS(b, server.URL(), "bytes", func() ([]byte, error) { return message.Body, nil },
			func([]byte) error { return nil }),
	} {
		b.Run(name, func(b *testing.B) {
			var speed, cpu, rate, each []float64
			for i := range b.N {
				first, second := base, ours
				if i%2 == 1 {
					first, second = ours, base
				}
				t1, c1 := spent(b, first)
				t2, c2 := spent(b, second)
				if i%2 == 1 {
					t1, c1, t2, c2 = t2, c2, t1, c1
				}
				speed, cpu = append(speed, t1/t2), append(cpu, c2/c1)
				rate, each = append(rate, eventsInRound/t2), append(each, c2/eventsInRound*1e6)
			}
			b.ReportMetric(median(speed), "speed/base")
			b.ReportMetric(median(cpu), "cpu/base")
			b.ReportMetric(median(rate), "events/s")
			b.ReportMetric(median(each), "cpu-us/event")
		})
	}
}

// spent returns the seconds and the processor's seconds that f takes.
func spent(b *testing.B, f func()) (seconds, cpu float64) {
	before, err := readUsage()
	if err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	f()
	seconds = time.Since(begun).Seconds()
	after, err := readUsage()
	if err != nil {
		b.Fatal(err)
	}
	return seconds, float64(after.CPU-before.CPU) / 1e9
}

// oursByNATS returns what exchanges events by broker/nats.
func oursByNATS(b *testing.B, url string, m *broker.Message) func() {
	open := func() broker.Broker {
		c := nats.NewBroker(broker.Addrs(url))
		if err := c.Connect(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Disconnect() })
		return c
	}
	from, to := open(), open()
	got := make(chan struct{}, eventsInRound)
	if _, err := to.Subscribe("ours", func(broker.Event) error { got <- struct{}{}; return nil }); err != nil {
		b.Fatal(err)
	}
	return func() {
		for range eventsInRound {
			if err := from.Publish("ours", m); err != nil {
				b.Fatal(err)
			}
		}
		for range eventsInRound {
			<-got
		}
	}
}

// bareNATS returns what exchanges events by nats.go alone.
func bareNATS(b *testing.B, url, topic string, encode func() ([]byte, error), decode func([]byte) error) func() {
	open := func() *bare.Conn {
		c, err := bare.Connect(url)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(c.Close)
		return c
	}
	from, to := open(), open()
	got := make(chan struct{}, eventsInRound)
	if _, err := to.Subscribe(topic, func(m *bare.Msg) {
		if err := decode(m.Data); err != nil {
			b.Error(err)
		}
		got <- struct{}{}
	}); err != nil {
		b.Fatal(err)
	}
	if err := to.Flush(); err != nil {
		b.Fatal(err)
	}
	return func() {
		for range eventsInRound {
			data, err := encode()
			if err == nil {
				err = from.Publish(topic, data)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		for range eventsInRound {
			<-got
		}
	}
}
