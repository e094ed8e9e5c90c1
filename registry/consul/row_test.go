package consul

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/consul/tags"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// entry makes an instance of the service "s" with checks of the given outputs: "" is
// one that passes.
func entry(id string, created uint64, outputs ...string) consul.Entry {
	e := consul.Entry{
		Node:    consul.EntryNode{ID: "id-" + id, Node: "agent", Address: "10.0.0.1"},
		Service: consul.EntryService{ID: id, Service: "s", Address: "10.0.0.2", Port: 80, CreateIndex: created},
	}
	for _, output := range outputs {
		c := consul.Check{Status: consul.Critical, Output: output, CheckID: consul.CheckID(id)}
		switch output {
		case "":
			c.Status = consul.Passing
		case "maintenance":
			c.CheckID = "_service_maintenance:" + id
		case "goodbye":
			c.CheckID, c.Notes = "_service_maintenance:"+id, farewell
		case "agent in maintenance":
			c.CheckID = "_node_maintenance"
		}
		e.Checks = append(e.Checks, c)
	}
	return e
}

func TestHealth(t *testing.T) {
	for _, tc := range []struct {
		outputs []string
		want    health
	}{
		{nil, well}, {[]string{""}, well}, {[]string{"", "TTL expired"}, ill},
		{[]string{"maintenance"}, paused}, {[]string{"TTL expired", "maintenance"}, paused}, {[]string{"agent in maintenance"}, paused},
		{[]string{farewell}, leaving}, {[]string{"maintenance", farewell}, leaving}, {[]string{"goodbye"}, leaving},
	} {
		if got := healthOf(entry("a", 1, tc.outputs...)); got != tc.want {
			t.Errorf("%q: got %v, want %v", tc.outputs, got, tc.want)
		}
	}
}

func TestRows(t *testing.T) {
	tagged := entry("a", 1)
	var err error
	tagged.Service.Tags, err = tags.Encode(&registry.Service{Version: "1"}, &registry.Node{Id: "other", Metadata: map[string]string{"zone": "b"}}, "a")
	if err != nil {
		t.Fatal(err)
	}
	foreign := entry("x", 1)
	foreign.Service.Service = "another"
	bad := entry("bad", 1)
	bad.Service.Tags = []string{"t-zz", "rails"}
	bomb := entry("bomb", 1)
	bomb.Service.Tags = []string{"v=" + string(make([]byte, tags.MaxRecord+1))}
	unfit := entry("un\nfit", 1)
	plain := entry("plain", 1)
	plain.Service.Address, plain.Service.Port = "", 0

	var d decoder
	rows := d.rows("s", []consul.Entry{tagged, foreign, bad, bomb, unfit, plain})
	if len(rows) != 3 || d.skipped != 3 {
		t.Errorf("%d rows, %d skipped; want 3 and 3", len(rows), d.skipped)
	}
	if r := rows[record.ID{Service: "s", Node: "other"}]; r == nil || r.service.Version != "1" || r.service.Nodes[0].Metadata["zone"] != "b" || r.service.Nodes[0].Address != "10.0.0.2:80" {
		t.Errorf("the tagged one is %+v", r)
	}
	if r := rows[record.ID{Service: "s", Node: "plain"}]; r == nil || r.service.Nodes[0].Address != "10.0.0.1" || r.service.Version != "" {
		t.Errorf("the one without tags and address is %+v", r)
	}
	again := (&decoder{before: rows}).rows("s", []consul.Entry{tagged, plain})
	for id, r := range again {
		if rows[id].service != r.service {
			t.Errorf("%v was decoded again, though nothing changed", id)
		}
	}
}

// TestTagsOfAServiceAreBounded has more nodes with large tags than are taken.
func TestTagsOfAServiceAreBounded(t *testing.T) {
	const size, taken = 1000, 3
	large := []string{"v=" + strings.Repeat("1", size)}
	var entries []consul.Entry
	for i := range taken + 5 {
		e := entry(fmt.Sprint(i), 1)
		e.Service.Tags = large
		entries = append(entries, e)
	}
	d := decoder{most: taken * size}
	rows := d.rows("s", entries)
	if len(rows) != taken || d.skipped != 5 {
		t.Errorf("%d rows, %d skipped", len(rows), d.skipped)
	}
	again := (&decoder{before: rows, most: taken * size}).rows("s", entries)
	if len(again) != taken {
		t.Errorf("%d rows, once they are known", len(again))
	}
}

// TestTwoAgentsHaveOneNode shows which of two records of one node counts.
func TestTwoAgentsHaveOneNode(t *testing.T) {
	old, young := entry("a", 1, ""), entry("a", 9, "")
	young.Service.Port = 81
	oldIll, youngIll := entry("a", 1, "TTL expired"), entry("a", 9, "TTL expired")
	youngIll.Service.Port = 81
	for name, tc := range map[string]struct {
		entries []consul.Entry
		want    string
	}{
		"both well": {[]consul.Entry{old, young}, "10.0.0.2:81"}, "the young one is ill": {[]consul.Entry{old, youngIll}, "10.0.0.2:80"},
		"the old one is ill": {[]consul.Entry{oldIll, young}, "10.0.0.2:81"}, "both ill": {[]consul.Entry{oldIll, youngIll}, "10.0.0.2:81"},
	} {
		for range 2 {
			rows := new(decoder).rows("s", tc.entries)
			if r := rows[record.ID{Service: "s", Node: "a"}]; len(rows) != 1 || r.service.Nodes[0].Address != tc.want {
				t.Errorf("%s: %d rows, %s", name, len(rows), r.service.Nodes[0].Address)
			}
			tc.entries[0], tc.entries[1] = tc.entries[1], tc.entries[0]
		}
	}
}

// TestSteps shows what followers are told of each change, and why nodes left.
func TestSteps(t *testing.T) {
	const gone = "gone"
	for _, tc := range []struct {
		before, after string // what is the matter with the node; "new" if it is not there yet
		marked        bool
		want          string
	}{
		{"new", "", false, "came"}, {"new", "TTL expired", false, ""}, {"", "", false, ""}, {"TTL expired", "", false, "came"}, {"TTL expired", gone, false, ""},
		{"", "TTL expired", false, "expired"}, {"", "TTL expired", true, "expired"}, {"", farewell, true, "deleted"}, {"", "maintenance", true, "deleted"}, {"", "goodbye", false, "deleted"},
		{"", gone, false, "unknown"}, {"", gone, true, "vanished"},
	} {
		k := known{}
		rows := func(matter string) map[record.ID]*row {
			if matter == "new" || matter == gone {
				return nil
			}
			e := entry("a", 1, matter)
			if tc.marked {
				e.Service.Tags = []string{`t={"` + record.Mark + `":"1"}`}
			}
			return (&decoder{before: k["s"]}).rows("s", []consul.Entry{e})
		}
		k.replace("s", rows(tc.before))
		steps := k.replace("s", rows(tc.after))
		got := ""
		for _, s := range steps {
			switch {
			case s.was == nil:
				got += "came"
			case s.is == nil:
				got += s.departure().Cause.String()
			default:
				got += "changed"
			}
		}
		if got != tc.want {
			t.Errorf("from %q to %q, marked %v: got %q, want %q", tc.before, tc.after, tc.marked, got, tc.want)
		}
	}
}

// TestWhoCameGoesFirst shows that a change is told so that nobody knows fewer nodes
// for a moment than there are.
func TestWhoCameGoesFirst(t *testing.T) {
	k := known{}
	var d decoder
	k.replace("s", d.rows("s", []consul.Entry{entry("a", 1), entry("c", 1)}))
	steps := k.replace("s", d.rows("s", []consul.Entry{entry("c", 1, farewell), entry("d", 2), entry("b", 2)}))
	var order string
	for _, s := range steps {
		order += s.node()
	}
	if order != "bdac" {
		t.Errorf("told of %q, want bdac", order)
	}
	if c := steps[2].departure(); c.Cause != feed.Unknown || c.Token != (token{"s", "a", "agent", "id-a"}) {
		t.Errorf("the departure is %+v", c)
	}
}

func TestSplitAddress(t *testing.T) {
	for address, want := range map[string]struct {
		host string
		port int
	}{
		"10.0.0.1:80": {"10.0.0.1", 80}, "[::1]:80": {"::1", 80}, "host": {"host", 0}, "host:http": {"host:http", 0}, "host:0": {"host:0", 0},
		"host:080": {"host:080", 0}, "unix:/run/s": {"unix:/run/s", 0}, ":80": {":80", 0}, "": {"", 0}, "host:70000": {"host:70000", 0},
	} {
		host, port := splitAddress(address)
		if host != want.host || port != want.port || joinAddress(host, port) != address {
			t.Errorf("%q: got %q and %d, and %q", address, host, port, joinAddress(host, port))
		}
	}
}

func TestUnfit(t *testing.T) {
	for _, text := range []string{"a", "a/b", "a/", "go.micro", "with space", "节点", "...", "%2f", "x*"} {
		if why := unfit(text); why != "" {
			t.Errorf("%q %s", text, why)
		}
	}
	for _, text := range []string{"a//b", "/a/../b", "a/./b", "a\u00a0b", "a\u2028b", string(make([]byte, maxText+1))} {
		if unfit(text) == "" {
			t.Errorf("%.20q is fit", text)
		}
	}
}
