package interop_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/interop/peer"
)

func TestMetadata(t *testing.T) {
	eachWay(t, peer.Service{}, func(t *testing.T, caller *program) {
		for _, contentType := range []string{"", "application/json"} {
			answer, err := caller.call(peer.Call{
				Service: caller.served(), Endpoint: "Greeter.Headers", ContentType: contentType,
				Metadata: map[string]string{"X-Plain": "a b, c", "X-Chinese": "服务 100%", "Camelkey": "1"},
			})
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Headers map[string]string }
			if err := json.Unmarshal(answer, &got); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{
				"X-Plain":            "a b, c",
				"X-Chinese":          "服务 100%",
				"Camelkey":           "1",
				"Micro-From-Service": "interop.caller." + string(caller.kind),
			}
			if caller.kind == ours {
				// grpc refuses to send other characters; v2's server shows what it gets.
				want["X-Chinese"] = "%E6%9C%8D%E5%8A%A1 100%25"
				want["Rollcall-Encoded"] = "x-chinese"
			}
			for key, value := range want {
				if got.Headers[key] != value {
					t.Errorf("%q: header %q is %q, want %q", contentType, key, got.Headers[key], value)
				}
			}
			if !strings.HasPrefix(got.Headers["Remote"], "127.0.0.1:") {
				t.Errorf("%q: Remote is %q, want the caller's address", contentType, got.Headers["Remote"])
			}
		}
	})
}

// TestEncodedMetadata goes from ours to ours, where the encoding is undone.
func TestEncodedMetadata(t *testing.T) {
	p := alone(t, ours)
	answer, err := p.call(peer.Call{
		Service: service, Endpoint: "Greeter.Headers",
		Metadata: map[string]string{"X-Chinese": "服务 100%"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Headers map[string]string }
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	if v := got.Headers["X-Chinese"]; v != "服务 100%" {
		t.Errorf("X-Chinese is %q", v)
	}
	if v, ok := got.Headers["Rollcall-Encoded"]; ok {
		t.Errorf("the handler sees the header that lists what was encoded: %q", v)
	}
}
