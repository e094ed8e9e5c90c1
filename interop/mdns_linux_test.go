package interop_test

import (
	"encoding/json"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// noticed is how long it may take until a program on the network knows what another
// one announced. It is a matter of milliseconds; v2 waits for a third of a second.
const noticed = 10 * time.Second

// segment is one or two hosts without a registry server.
type segment struct {
	name string
	// alone says that there is one host, on which everything runs.
	alone bool
	v4    bool
	v6    bool
	// opened says that the loopback interface was made one that can multicast.
	opened bool
	// deaf are those that cannot work on the segment.
	deaf []kind
}

var segments = []segment{
	{name: "IPv4", alone: true, v4: true},
	{name: "IPv6", alone: true, v6: true},
	{name: "both", alone: true, v4: true, v6: true},
	// v2 joins groups on interfaces that can multicast, and the kernel's loopback
	// interface says that it cannot.
	{name: "loopback", alone: true, deaf: []kind{v2}},
	{name: "loopback that can", alone: true, opened: true},
	{name: "two hosts, IPv4", v4: true},
	{name: "two hosts, IPv6", v6: true},
	{name: "two hosts, both", v4: true, v6: true},
}

// hosts makes the hosts of the segment, and returns the one of the callers, that of
// the servers, and the address on which servers listen.
func (s segment) hosts(t *testing.T) (callers, servers *testkit.Netns, address string) {
	t.Helper()
	callers = testkit.NewNetns(t)
	servers = callers
	if !s.alone {
		servers = testkit.NewNetns(t)
	}
	if s.opened {
		callers.MulticastRoute(t, "lo")
	}
	if !s.v4 && !s.v6 {
		return callers, servers, "127.0.0.1"
	}
	hosts := slices.Compact([]*testkit.Netns{callers, servers})
	for _, h := range hosts {
		if !s.v6 {
			h.WithoutIPv6(t)
		}
	}
	testkit.Bridge(t, "eth0", hosts...)
	for i, h := range hosts {
		number := string(rune('1' + i))
		if s.v6 {
			address = "fd77::" + number
			h.AddAddr(t, "eth0", address+"/64")
		}
		if s.v4 {
			address = "10.77.0." + number
			h.AddAddr(t, "eth0", address+"/24")
			h.MulticastRoute(t, "eth0")
		}
	}
	return callers, servers, address
}

// on starts a program that uses multicast DNS on a host.
func on(t *testing.T, host *testkit.Netns, k kind, caller string) *program {
	t.Helper()
	return start(t, k, caller, host.Command(k.binary(t), "-registry", "mdns", "-name", caller))
}

// TestMDNS has a program of each framework serve, and one of each look, on every
// kind of network.
func TestMDNS(t *testing.T) {
	for _, s := range segments {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			callers, servers, address := s.hosts(t)
			for _, k := range kinds {
				if slices.Contains(s.deaf, k) {
					continue
				}
				for _, c := range kinds {
					if !slices.Contains(s.deaf, c) {
						t.Run(string(k)+" serves, "+string(c)+" looks", func(t *testing.T) {
							meet(t, on(t, servers, k, "interop.server"), on(t, callers, c, "interop.caller"), address)
						})
					}
				}
			}
		})
	}
}

// meet starts a service, lets caller find, call and list it, and stops it, while
// caller watches.
func meet(t *testing.T, server, caller *program, host string) {
	name := service + "." + string(caller.kind)
	id := name + "-one"
	next := caller.watch(name)
	begun := time.Now()
	server.start(peer.Service{
		Name: name, ID: "one", Version: "7", Metadata: map[string]string{"zone": "服务"}, Address: net.JoinHostPort(host, "0"),
		TTL: 10 * time.Second, Interval: 3 * time.Second,
	})
	created := event(t, next, "create")
	t.Logf("measured: from the start of a service of %s to an event in %s: %v", server.kind, caller.kind, time.Since(begun).Round(time.Millisecond))

	var found mdnsListing
	testkit.Eventually(t, noticed, "the service is found", func() bool {
		found = nil
		err := caller.try(peer.OpGet, peer.Name{Name: name}, &found)
		return err == nil && len(found) == 1
	})
	for what, s := range map[string]mdnsListing{"event": {created}, "found": found} {
		if s[0].Name != name || s[0].Version != "7" || len(s[0].Nodes) != 1 {
			t.Fatalf("%s: %+v", what, s[0])
		}
		n := s[0].Nodes[0]
		if h, _, err := net.SplitHostPort(n.Address); err != nil || h != host || n.Id != id || n.Metadata["zone"] != "服务" || n.Metadata["protocol"] != "grpc" {
			t.Errorf("%s: node %+v", what, n)
		}
		// Ours leaves out what endpoints take where a packet would be too large for
		// some network.
		if len(s[0].Endpoints) != 5 || (s[0].Endpoints[0].Request == nil) != (server.kind == ours) {
			t.Errorf("%s: endpoints %+v, want 5, with what they take if they are v2's", what, s[0].Endpoints)
		}
	}
	testkit.Eventually(t, noticed, "the service is listed", func() bool { return caller.lists(name) })
	answer, err := caller.call(peer.Call{Service: name, Endpoint: "Greeter.Hello", Body: json.RawMessage(hello), Timeout: noticed})
	if err != nil || !strings.Contains(string(answer), id) {
		t.Fatalf("call: %s, %v", answer, err)
	}

	server.stop(name)
	left := event(t, next, "delete")
	if left.Nodes[0].Id != id {
		t.Errorf("the event of the goodbye is about %+v", left)
	}
	testkit.Eventually(t, noticed, "the service is neither found nor listed", func() bool {
		found = nil
		// v2 has no error for a name that it does not find.
		if err := caller.try(peer.OpGet, peer.Name{Name: name}, &found); err != nil && !strings.Contains(err.Error(), "service not found") {
			t.Fatal(err)
		}
		return len(found) == 0 && !caller.lists(name)
	})
}

// mdnsListing is what get yields.
type mdnsListing []mdnsService

type mdnsService struct {
	Name, Version string
	Endpoints     []struct {
		Name              string
		Request, Response *struct{ Name string }
	}
	Nodes []struct {
		Id, Address string
		Metadata    map[string]string
	}
}

// event waits for the next event of another kind than what came before: v2 repeats
// itself.
func event(t *testing.T, next func(time.Duration) (peer.Event, error), action string) mdnsService {
	t.Helper()
	for {
		e, err := next(noticed)
		if err != nil {
			t.Fatalf("no %s: %v", action, err)
		}
		var s mdnsService
		if err := json.Unmarshal(e.Service, &s); err != nil {
			t.Fatal(err)
		}
		if e.Action == action {
			return s
		}
	}
}

// lists tells whether the program lists a service of the name.
func (p *program) lists(name string) bool {
	p.t.Helper()
	var all mdnsListing
	p.do(peer.OpList, nil, &all)
	return slices.ContainsFunc(all, func(s mdnsService) bool { return s.Name == name })
}

// handlers is how many a service has in TestMDNSManyHandlers. What v2 writes of its
// own takes more than 9,000 bytes, which is more than multicast DNS knows.
var handlers = map[kind]int{ours: 100, v2: 600}

// TestMDNSManyHandlers has each framework register a service of many handlers, and
// each find it. Ours leaves out what they take and return.
func TestMDNSManyHandlers(t *testing.T) {
	t.Parallel()
	value := func(name string) map[string]any {
		return map[string]any{"name": name, "type": name, "values": []any{
			map[string]any{"name": "id" + name, "type": "string"}, map[string]any{"name": "count", "type": "int64"},
		}}
	}
	var endpoints []any
	for i := range handlers[v2] {
		name := "Handler" + strconv.Itoa(i*7919)
		endpoints = append(endpoints, map[string]any{"name": name + ".Do", "request": value(name + "Request"), "response": value(name + "Response"), "metadata": map[string]string{}})
	}
	callers, servers, address := segments[len(segments)-1].hosts(t)
	programs := map[kind]*program{}
	for _, k := range kinds {
		programs[k] = on(t, callers, k, "interop.caller")
	}
	for _, k := range kinds {
		name := service + "." + string(k)
		record, err := json.Marshal(map[string]any{
			"name": name, "version": "1", "endpoints": endpoints[:handlers[k]],
			"nodes": []any{map[string]any{"id": name + "-one", "address": net.JoinHostPort(address, "4000")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		server := on(t, servers, k, "interop.server")
		server.do(peer.OpRegister, peer.Record{Service: record}, nil)
		for _, c := range kinds {
			var found mdnsListing
			testkit.Eventually(t, noticed, string(c)+" finds the service of "+string(k), func() bool {
				found = nil
				err := programs[c].try(peer.OpGet, peer.Name{Name: name}, &found)
				return err == nil && len(found) == 1
			})
			if len(found[0].Nodes) != 1 || len(found[0].Endpoints) != handlers[k] || (found[0].Endpoints[0].Request == nil) != (k == ours) {
				t.Errorf("%s finds of %s: %d nodes, %d endpoints", c, k, len(found[0].Nodes), len(found[0].Endpoints))
			}
		}
		if lines := strings.Count(server.log.String(), "published without"); k == ours && lines != 1 {
			t.Errorf("%d lines say what is left out, want 1", lines)
		}
	}
}
