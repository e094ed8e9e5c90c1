package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestConfigWatch(t *testing.T) {
	server := testkit.StartEtcd(t)
	at := "--registry_address=" + server.Addr()
	set := func(args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), append([]string{"micro", "config", "set", at}, args...), &out, &errs); code != exitOK {
			t.Fatalf("exit code %d: %s", code, errs.String())
		}
	}
	set("db/port", "1")
	all, endAll := following(t, "config", "watch", at)
	one, endOne := following(t, "config", "watch", "db", "-o", "json", at)
	set("db/port", "2", "greeting", `"good day"`)
	for _, want := range []string{"db/port  1 -> 2", `greeting  (none) -> "good day"`} {
		if !all.Scan() || !strings.HasSuffix(all.Text(), "  "+want) {
			t.Errorf("got %q, want %q", all.Text(), want)
		}
	}
	var e configEvent
	if !one.Scan() || json.Unmarshal(one.Bytes(), &e) != nil || e.Key != "db/port" || *e.Before != "1" || *e.After != "2" || e.Revision == 0 {
		t.Errorf("got %q", one.Text())
	}
	for _, end := range []func() int{endAll, endOne} {
		if code := end(); code != exitOK {
			t.Errorf("exit code %d", code)
		}
	}
}
