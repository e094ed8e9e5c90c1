package interop_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/interop/peer"
)

// What v2 can do of streams, each way: those of its generator from the server, and
// those in both directions by hand. A client of ours can end its side as well.
func TestStreams(t *testing.T) {
	eachWay(t, peer.Service{Counter: true}, func(t *testing.T, caller *program) {
		call := peer.Call{Service: caller.served(), Endpoint: "Counter.Count", Body: json.RawMessage(`{"name":"x","times":"3"}`)}
		var got []string
		if err := caller.try(peer.OpCount, call, &got); err != nil || !slices.Equal(got, []string{"Hello x", "Hello x", "Hello x"}) {
			t.Errorf("a stream from the server: %q, %v", got, err)
		}
		for _, contentType := range []string{"", "application/json"} {
			talk := peer.Talk{
				Call:  peer.Call{Service: caller.served(), Endpoint: "Talk.Chat", ContentType: contentType, Metadata: map[string]string{"Who": "!"}},
				Names: []string{"a", "服务", ""},
			}
			if err := caller.try(peer.OpTalk, talk, &got); err != nil || !slices.Equal(got, []string{"a!", "服务!", "!"}) {
				t.Errorf("%q: both directions: %q, %v", contentType, got, err)
			}
			talk.Names = []string{"a", "fail"}
			if err := caller.try(peer.OpTalk, talk, &got); err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "no book 7") {
				t.Errorf("%q: an error: %v", contentType, err)
			}
			talk.Endpoint, talk.Names = "Talk.Sum", []string{"a", "b"}
			if caller.kind == ours { // v2 cannot end its side
				if err := caller.try(peer.OpTalk, talk, &got); err != nil || !slices.Equal(got, []string{"a+b"}) {
					t.Errorf("%q: a stream to the server: %q, %v", contentType, got, err)
				}
			}
		}
		begun := time.Now()
		talk := peer.Talk{Call: peer.Call{Service: caller.served(), Endpoint: "Talk.Chat", Timeout: 300 * time.Millisecond}, Names: []string{"wait"}}
		if err := caller.try(peer.OpTalk, talk, nil); err == nil || time.Since(begun) > 20*time.Second {
			t.Errorf("the timeout of a stream: %v after %v", err, time.Since(begun))
		}
	})
}
