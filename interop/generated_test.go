package interop_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// Code by protoc-gen-micro of today and code in the shape of v2's generator, which is
// compiled against v2 and against ours, serve and call one another: what they can do of
// calls and of streams.
func TestGeneratedCode(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	programs := map[kind]*program{}
	for _, k := range []kind{v2, ours, renewed} {
		p := run(t, k, etcd.Addr(), "interop."+string(k))
		name := service + "." + string(k)
		p.start(peer.Service{Name: name, ID: "one", TTL: 10 * time.Second, Interval: 3 * time.Second, Counter: true})
		storeOf(t, etcd).there(name, name+"-one")
		programs[k] = p
	}
	for _, pair := range [][2]kind{{renewed, v2}, {v2, renewed}, {renewed, ours}, {ours, renewed}, {renewed, renewed}, {ours, ours}, {v2, v2}} {
		caller, server := programs[pair[0]], pair[1]
		t.Run(fmt.Sprintf("%s calls %s", caller.kind, server), func(t *testing.T) {
			caller := &program{Process: caller.Process, t: t, kind: caller.kind}
			to := func(endpoint, body string) peer.Call {
				return peer.Call{Service: service + "." + string(server), Endpoint: endpoint, Body: json.RawMessage(body)}
			}
			answer, err := caller.call(to("Greeter.Hello", hello))
			want := `{"greeting":"Hello 服务 \"100%\"","node":"` + service + "." + string(server) + `-one","asked":` + hello + `}`
			if err != nil || !sameJSON(t, string(answer), want) {
				t.Errorf("a call: %s, %v", answer, err)
			}
			if e := caller.failure(to("Greeter.Fail", `{"how":"notfound","id":"my.id","detail":"no book 7"}`)); e.Code != 404 || e.Detail != "no book 7" {
				t.Errorf("an error: %v", e)
			}
			var got []string
			if err := caller.try(peer.OpCount, to("Counter.Count", `{"name":"x","times":"3"}`), &got); err != nil || !slices.Equal(got, []string{"Hello x", "Hello x", "Hello x"}) {
				t.Errorf("a stream from the server: %q, %v", got, err)
			}
			if err := caller.try(peer.OpSpeak, peer.Talk{Call: to("Speaker.Chat", ""), Names: []string{"a", "服务", ""}}, &got); err != nil || !slices.Equal(got, []string{"a", "服务", ""}) {
				t.Errorf("both directions: %q, %v", got, err)
			}
			err = caller.try(peer.OpSpeak, peer.Talk{Call: to("Speaker.Chat", ""), Names: []string{"a", "fail"}}, &got)
			if err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "no book 7") {
				t.Errorf("an error of a stream: %v", err)
			}
			sum := peer.Talk{Call: to("Speaker.Sum", ""), Names: []string{"a", "b"}}
			if caller.kind == renewed {
				if err := caller.try(peer.OpSpeak, sum, &got); err != nil || !slices.Equal(got, []string{"a+b"}) {
					t.Errorf("a stream to the server: %q, %v", got, err)
				}
				return
			}
			// Code by v2's generator cannot end its side, whatever it is compiled against: it
			// waits until its context ends, or its stream's timeout.
			sum.Timeout = time.Second
			if server == v2 && caller.kind == v2 {
				return // whose server does not end a handler that receives
			}
			if err := caller.try(peer.OpSpeak, sum, &got); err == nil {
				t.Errorf("a stream to the server was answered that had not ended: %q", got)
			}
		})
	}
}
