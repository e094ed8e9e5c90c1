package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

// shown bounds the time from a write to the value that a program reads.
const shown = time.Second

// configOf returns a configuration of the keys below /c in the etcd at addr.
func configOf(t *testing.T, addr string, opts ...source.Option) config.Config {
	t.Helper()
	c, err := config.NewConfig(config.WithSource(configSource(addr, opts...)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func configSource(addr string, opts ...source.Option) source.Source {
	return etcd.NewSource(append([]source.Option{etcd.WithAddress(addr), etcd.WithPrefix("/c"), etcd.StripPrefix(true)}, opts...)...)
}

// reads waits until c reads as want, and returns how long after begin that was.
func reads(t *testing.T, c config.Config, begin time.Time, want string) time.Duration {
	t.Helper()
	return since(t, begin, "the configuration is "+want, func() bool { return string(c.Bytes()) == want })
}

// Row G1: a value that cannot be read keeps the last good one of its key, is reported
// with key and revision, and the next good one counts within a second.
func TestG1AnUndecodableValue(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	commit(t, client, clientv3.OpPut("/c/db", `{"port":1}`), clientv3.OpPut("/c/n", "0"))
	c := configOf(t, server.Addr())
	var worst time.Duration
	for i, bad := range []string{`{"port":`, "", "hello", "port = 1", "port: 1", `{"port":2}}`, strings.Repeat("[", 100_000)} {
		answer, err := client.Put(t.Context(), "/c/db", bad)
		if err != nil {
			t.Fatal(err)
		}
		// What is written later and read shows that the bad value was seen.
		commit(t, client, clientv3.OpPut("/c/n", fmt.Sprint(i+1)))
		reads(t, c, time.Now(), fmt.Sprintf(`{"db":{"port":1},"n":%d}`, i+1))
		status := config.Status(c)
		if len(status) != 1 || len(status[0].Refused) != 1 || status[0].Refused[0].Key != "/c/db" ||
			status[0].Refused[0].Revision != answer.Header.Revision || status[0].Refused[0].Err == nil {
			t.Errorf("after %.20q: %+v", bad, status)
		}
	}
	begin := time.Now()
	commit(t, client, clientv3.OpPut("/c/db", `{"port":3}`))
	worst = max(worst, reads(t, c, begin, `{"db":{"port":3},"n":7}`))
	within(t, "the next good value", worst, shown)
}

// Row G2: random writes of nested keys, while connections are cut and etcd starts anew:
// the configuration is what a fresh reading gives, 4 s after etcd answers.
func TestG2TheTreeOfTheKeys(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	proxy := testkit.StartProxy(t, server.Addr())
	c := configOf(t, proxy.Addr())
	disturbed := 0
	for round := range times(6, 60) {
		answered := time.Now()
		switch round % 3 {
		case 0:
			disturbed += proxy.Reset()
		case 1:
			proxy.Cut()
			disturbed++
		case 2:
			answered = server.Restart(t)
			client = server.Client(t) // the connection of the one before is lost
			disturbed++
		}
		writeNested(t, client, "/c", round, 40)
		if round%3 == 1 {
			if round%2 == 1 {
				server.Compact(t)
			}
			proxy.Restore(t)
			answered = time.Now()
		}
		commit(t, client, clientv3.OpPut("/c/round", fmt.Sprint(round)))
		fresh := configOf(t, server.Addr())
		within(t, fmt.Sprintf("round %d", round), reads(t, c, answered, string(fresh.Bytes())), listedAgain)
	}
	if disturbed == 0 {
		t.Error("nothing was disturbed")
	}
}

// writeNested writes and deletes keys of a few names, several in each transaction, the
// same ones for the same round.
func writeNested(t *testing.T, client *clientv3.Client, prefix string, round, steps int) {
	t.Helper()
	parts := []string{"a", "b", "a-b", "", "c"}
	for step := range steps {
		n := round*7919 + step*104729
		ops := map[string]clientv3.Op{}
		for i := range 1 + n%4 {
			key := prefix
			for level := range 1 + (n+i)%3 {
				key += "/" + parts[(n/(level+1)+i)%len(parts)]
			}
			if ops[key] = clientv3.OpPut(key, []string{"1", `{"a":{"b":1}}`, "[1]", `"s"`}[(n+i)%4]); (n/3+i)%3 == 0 {
				ops[key] = clientv3.OpDelete(key)
			}
		}
		var list []clientv3.Op
		for _, op := range ops {
			list = append(list, op)
		}
		commit(t, client, list...)
	}
}

// Row G4: a slow reader of a value that is written 10,000 times (here 2,000) ends on the
// last one, a second after it was written at most.
func TestG4ASlowReader(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	c := configOf(t, server.Addr())
	w, err := c.Watch("n")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	last := times(2_000, 10_000)
	for i := range last {
		commit(t, client, clientv3.OpPut("/c/n", fmt.Sprint(i+1)))
	}
	begin, heard := time.Now(), 0
	for {
		v, err := w.Next()
		if err != nil {
			t.Fatal(err)
		}
		heard++
		if v.Int(0) == last {
			break
		}
	}
	within(t, "the last value", time.Since(begin), shown)
	t.Logf("measured: %d of %d values heard", heard, last)
}

// Row G6: keys that one transaction writes are never seen half: over 1,000 transactions
// (here 200) of 20 keys every state that is read has them equal.
func TestG6ATransactionIsOneChange(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	c := configOf(t, server.Addr())
	w, err := c.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	last := times(200, 1_000)
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range last {
			var ops []clientv3.Op
			for k := range 20 {
				ops = append(ops, clientv3.OpPut(fmt.Sprintf("/c/k%02d", k), fmt.Sprint(i+1)))
			}
			if _, err := client.Txn(t.Context()).Then(ops...).Commit(); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	states, halves := 0, 0
	for done := false; !done; states++ {
		v, err := w.Next()
		if err != nil {
			t.Fatal(err)
		}
		var state map[string]int
		if err := v.Scan(&state); err != nil {
			t.Fatal(err)
		}
		for _, n := range state {
			if n != state["k00"] || len(state) != 20 {
				halves++
				break
			}
		}
		done = state["k00"] == last
	}
	<-written
	t.Logf("measured: %d states seen of %d transactions", states, last)
	atMost(t, "states with half of a transaction", halves, 0)
}
