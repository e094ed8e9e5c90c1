package log_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/debug/log"
	"github.com/rollcall-go/micro/debug/log/memory"
	"github.com/rollcall-go/micro/debug/log/noop"
)

func write(t *testing.T, l log.Log, messages ...any) {
	t.Helper()
	for _, m := range messages {
		if err := l.Write(log.Record{Message: m}); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, l log.Log, opts ...log.ReadOption) string {
	t.Helper()
	records, err := l.Read(opts...)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range records {
		if r.Timestamp.IsZero() {
			t.Errorf("the record %v has no time", r)
		}
		all = append(all, fmt.Sprint(r.Message))
	}
	return strings.Join(all, " ")
}

func TestRead(t *testing.T) {
	for name, construct := range map[string]func(...log.Option) log.Log{"NewLog": log.NewLog, "memory": memory.NewLog} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := construct(log.Size(3))
				write(t, l, "a", "b")
				then := time.Now()
				time.Sleep(time.Second) // of the test's own clock
				write(t, l, "c", 4)
				for _, tc := range []struct {
					opts []log.ReadOption
					want string
				}{
					{nil, "b c 4"},
					{[]log.ReadOption{log.Count(2)}, "c 4"},
					{[]log.ReadOption{log.Since(then)}, "c 4"},
					{[]log.ReadOption{log.Since(then), log.Count(1)}, "c"},
					{[]log.ReadOption{log.Since(time.Now())}, ""},
				} {
					if got := read(t, l, tc.opts...); got != tc.want {
						t.Errorf("got %q, want %q", got, tc.want)
					}
				}
			})
		})
	}
}

func TestLogWithoutASizeKeepsTheDefault(t *testing.T) {
	l := log.NewLog(log.Size(0))
	for range log.DefaultSize + 1 {
		write(t, l, "x")
	}
	if records, err := l.Read(); err != nil || len(records) != log.DefaultSize {
		t.Errorf("it keeps %d records, %v", len(records), err)
	}
}

func TestStream(t *testing.T) {
	l := log.NewLog()
	for i := range 12 {
		write(t, l, i)
	}
	s, err := l.Stream()
	if err != nil {
		t.Fatal(err)
	}
	write(t, l, "new")
	for i := 2; i < 12; i++ {
		if r := <-s.Chan(); r.Message != i {
			t.Fatalf("got %v, want %d", r.Message, i)
		}
	}
	if r := <-s.Chan(); r.Message != "new" {
		t.Fatalf("got %v", r.Message)
	}
	for range 500 { // more than wait for a reader
		write(t, l, "too much")
	}
	if missed := s.(interface{ Missed() uint64 }).Missed(); missed == 0 {
		t.Error("nothing was missed")
	}
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	for range s.Chan() { // until it is closed
	}
}

func TestNoop(t *testing.T) {
	l := noop.NewLog()
	write(t, l, "a")
	if got := read(t, l); got != "" {
		t.Errorf("it keeps %q", got)
	}
	s, err := l.Stream()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if _, open := <-s.Chan(); open {
		t.Error("it delivers something")
	}
}

func TestFormats(t *testing.T) {
	r := log.Record{Timestamp: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), Metadata: map[string]string{"level": "info"}, Message: "m"}
	if got := log.TextFormat(r); got != "2020-01-02 03:04:05 m" {
		t.Error(got)
	}
	if got := log.JSONFormat(r); got != `{"timestamp":"2020-01-02T03:04:05Z","metadata":{"level":"info"},"message":"m"}` {
		t.Error(got)
	}
	r.Message = func() {}
	if got := log.JSONFormat(r); got != "" {
		t.Error(got)
	}
}

func Example() {
	l := log.NewLog()
	_ = l.Write(log.Record{Message: "the first line"})
	_ = l.Write(log.Record{Message: "the second line"})
	records, err := l.Read(log.Count(1))
	if err != nil {
		fmt.Println(err)
	}
	for _, r := range records {
		fmt.Println(r.Message)
	}
	// Output: the second line
}
