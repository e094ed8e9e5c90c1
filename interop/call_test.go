package interop_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

const service = "rollcall.interop.greeter"

// eachWay runs f twice: v2 calls ours, and ours calls v2.
func eachWay(t *testing.T, spec peer.Service, f func(t *testing.T, caller *program)) {
	t.Helper()
	etcd := testkit.StartEtcd(t)
	for _, k := range kinds {
		t.Run(fmt.Sprintf("%s calls %s", k, k.other()), func(t *testing.T) {
			spec := spec
			spec.Name, spec.ID = service+"."+string(k.other()), "one"
			spec.TTL, spec.Interval = 10*time.Second, 3*time.Second
			server := run(t, k.other(), etcd.Addr(), "interop.server")
			server.start(spec)
			storeOf(t, etcd).there(spec.Name, spec.Name+"-one")
			f(t, run(t, k, etcd.Addr(), "interop.caller."+string(k)))
		})
	}
}

// alone returns a program of kind k that serves and calls itself.
func alone(t *testing.T, k kind) *program {
	t.Helper()
	etcd := testkit.StartEtcd(t)
	p := run(t, k, etcd.Addr(), "interop.caller")
	p.start(peer.Service{Name: service, ID: "one", TTL: 10 * time.Second, Interval: 3 * time.Second})
	storeOf(t, etcd).there(service, service+"-one")
	return p
}

// served returns the name of the service that a program calls in eachWay.
func (p *program) served() string { return service + "." + string(p.kind.other()) }

const (
	hello = `{"name":"服务 \"100%\"","times":"9007199254740993","mood":"GLAD","labels":{"k":"v","ключ":"знач"},` +
		`"places":[{"street_name":"a"},{"street_name":"b"}],"nick_name":"n"}`
	plain = `{"name":"服务","Tags":["a","b"],"Number":9007199254740993,"sub":{"inner":{"Word":"w","Deep":{"Deeper":"d"},"bytes":"AAEC"},"Flag":true},` +
		`"extra":{"k":"v"},"parts":[{"Word":"","Deep":{"Deeper":""},"bytes":null}],"inner":{"Word":"i","Deep":{"Deeper":""},"bytes":null},"Ratio":0.5}`
)

func TestCalls(t *testing.T) {
	eachWay(t, peer.Service{Newer: true}, func(t *testing.T, caller *program) {
		for _, tc := range []struct {
			endpoint    string
			contentType string
			body, want  string
		}{
			{"Greeter.Hello", "", hello, `{"greeting":"Hello 服务 \"100%\"","node":"NODE","asked":` + hello + `}`},
			{"Greeter.Hello", "application/grpc", hello, `{"greeting":"Hello 服务 \"100%\"","node":"NODE","asked":` + hello + `}`},
			{"Greeter.Hello", "application/grpc+proto", hello, `{"greeting":"Hello 服务 \"100%\"","node":"NODE","asked":` + hello + `}`},
			{"Greeter.Hello", "application/protobuf", hello, `{"greeting":"Hello 服务 \"100%\"","node":"NODE","asked":` + hello + `}`},
			{"Greeter.Hello", "application/json", hello, `{"greeting":"Hello 服务 \"100%\"","node":"NODE","asked":` + hello + `}`},
			{"Greeter.Hello", "application/grpc+json", hello, `{"greeting":"Hello 服务 \"100%\"","node":"NODE","asked":` + hello + `}`},
			{"Greeter.Hello", "", `{}`, `{"greeting":"Hello ","node":"NODE","asked":{}}`},
			{"Plain.Echo", "application/json", plain, `{"asked":` + plain + `,"text":"Hello 服务"}`},
			{"Newer.Ask", "", `{"name":"x","part":{"words":["a"]},"number":"7"}`, `{"text":"Hello x"}`},
			{"Newer.Ask", "application/json", `{"name":"x","part":{"words":["a"]},"number":"7"}`, `{"text":"Hello x"}`},
		} {
			t.Run(tc.endpoint+" "+tc.contentType, func(t *testing.T) {
				answer, err := caller.call(peer.Call{
					Service: caller.served(), Endpoint: tc.endpoint, ContentType: tc.contentType,
					Body: json.RawMessage(tc.body),
				})
				if err != nil {
					t.Fatal(err)
				}
				want := strings.ReplaceAll(tc.want, "NODE", caller.served()+"-one")
				if !sameJSON(t, string(answer), want) {
					t.Errorf("answer\n%s\nwant\n%s", answer, want)
				}
			})
		}
	})
}

func TestErrors(t *testing.T) {
	eachWay(t, peer.Service{}, func(t *testing.T, caller *program) {
		for _, tc := range []struct {
			name string
			body string // of Greeter.Fail
			// What callers get.
			v2, ours peer.Error
		}{
			{
				name: "not found, with id and detail",
				body: `{"how":"notfound","id":"my.id","detail":"no book 7: 100% \"gone\""}`,
				v2:   peer.Error{ID: "my.id", Code: 404, Detail: `no book 7: 100% "gone"`, Status: "Not Found"},
				ours: peer.Error{ID: "my.id", Code: 404, Detail: `no book 7: 100% "gone"`, Status: "Not Found"},
			},
			{
				name: "code of the program's own",
				body: `{"how":"error","id":"服务","code":499,"detail":"custom"}`,
				v2:   peer.Error{ID: "服务", Code: 499, Detail: "custom"},
				ours: peer.Error{ID: "服务", Code: 499, Detail: "custom"},
			},
			{
				name: "internal",
				body: `{"how":"error","id":"my.id","code":500,"detail":"broken"}`,
				v2:   peer.Error{ID: "my.id", Code: 500, Detail: "broken", Status: "Internal Server Error"},
				ours: peer.Error{ID: "my.id", Code: 500, Detail: "broken", Status: "Internal Server Error"},
			},
			{
				name: "plain error",
				body: `{"how":"plain","detail":"it broke"}`,
				v2:   peer.Error{ID: "go.micro.client", Code: 500, Detail: "it broke", Status: "Internal Server Error"},
				ours: peer.Error{ID: "go.micro.client", Code: 500, Detail: "it broke", Status: "Internal Server Error"},
			},
			{
				name: "panic",
				body: `{"how":"panic","detail":"boom"}`,
				v2:   peer.Error{ID: "go.micro.server", Code: 500, Detail: "panic recovered: boom", Status: "Internal Server Error"},
				ours: peer.Error{ID: "go.micro.server", Code: 500, Detail: "panic recovered: boom", Status: "Internal Server Error"},
			},
			{
				// v2's server sends the error's text without its code, and v2's client
				// makes 500 of any status that is not its own.
				name: "status of grpc",
				body: `{"how":"status","code":5,"detail":"no such book"}`,
				v2:   peer.Error{ID: "go.micro.client", Code: 500, Detail: "no such book", Status: "Internal Server Error"},
				ours: peer.Error{ID: "go.micro.client", Code: 500, Detail: "rpc error: code = NotFound desc = no such book", Status: "Internal Server Error"},
			},
		} {
			for _, contentType := range []string{"", "application/json"} {
				t.Run(tc.name+" "+contentType, func(t *testing.T) {
					want := tc.v2
					if caller.kind == ours {
						want = tc.ours
					}
					got := caller.failure(peer.Call{
						Service: caller.served(), Endpoint: "Greeter.Fail", ContentType: contentType,
						Body: json.RawMessage(tc.body),
					})
					if *got != want {
						t.Errorf("error %s, want %s", got, &want)
					}
				})
			}
		}
	})
}

func TestUnknownEndpoint(t *testing.T) {
	eachWay(t, peer.Service{}, func(t *testing.T, caller *program) {
		for _, endpoint := range []string{"Greeter.Nope", "Nope.Hello"} {
			got := caller.failure(peer.Call{Service: caller.served(), Endpoint: endpoint})
			want := int32(501)
			if caller.kind == v2 {
				want = 500 // of any status that is not its own
			}
			if got.Code != want || !strings.Contains(got.Detail, "Nope") {
				t.Errorf("%s: error %s, want code %d and what is unknown", endpoint, got, want)
			}
		}
	})
}

func TestTimeout(t *testing.T) {
	eachWay(t, peer.Service{}, func(t *testing.T, caller *program) {
		begun := time.Now()
		got := caller.failure(peer.Call{
			Service: caller.served(), Endpoint: "Greeter.Wait", Timeout: 300 * time.Millisecond,
			Body: json.RawMessage(`{"milliseconds":"15000"}`),
		})
		if got.Code != 408 || got.ID != "go.micro.client" {
			t.Errorf("error %s, want 408 of go.micro.client", got)
		}
		if took := time.Since(begun); took < 300*time.Millisecond || took > 10*time.Second {
			t.Errorf("it took %v, want 300 ms", took)
		}
	})
}

// sameJSON compares two texts as values, numbers digit by digit.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	return reflect.DeepEqual(valueOf(t, a), valueOf(t, b))
}

func valueOf(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	return v
}
