package interop_test

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// recorder stands before an agent of Consul and keeps what is told to it.
type recorder struct {
	*httptest.Server

	mu   sync.Mutex
	puts []put
}

// put is a request that changes something.
type put struct{ path, body string }

func recorderOf(t *testing.T, agent *testkit.Consul) *recorder {
	t.Helper()
	to, err := url.Parse(agent.URL())
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	forward := httputil.NewSingleHostReverseProxy(to)
	transport := &http.Transport{}
	forward.Transport = transport
	// A blocking query that is open when its asker ends is no matter for the log.
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodPut {
			body, err := io.ReadAll(request.Body)
			if err != nil {
				t.Errorf("read a request: %v", err)
			}
			request.Body = io.NopCloser(bytes.NewReader(body))
			r.mu.Lock()
			r.puts = append(r.puts, put{request.URL.RequestURI(), string(body)})
			r.mu.Unlock()
		}
		forward.ServeHTTP(w, request)
	}))
	t.Cleanup(func() {
		r.CloseClientConnections()
		r.Close()
		transport.CloseIdleConnections()
	})
	return r
}

// said returns what was told, without repetitions.
func (r *recorder) said() []put {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Compact(slices.Clone(r.puts))
}

// registration returns the tags and the rest of what the agent is told of a service.
func registration(t *testing.T, puts []put) (tags []string, rest string) {
	t.Helper()
	if len(puts) == 0 || puts[0].path != "/v1/agent/service/register" {
		t.Fatalf("the first of %q is no registration", puts)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(puts[0].body), &fields); err != nil {
		t.Fatal(err)
	}
	for _, tag := range fields["Tags"].([]any) {
		tags = append(tags, tag.(string))
	}
	slices.Sort(tags)
	delete(fields, "Tags")
	return tags, text(t, fields)
}

// readable returns what is in tags, sorted.
func readable(t *testing.T, tags []string) (plain []string) {
	t.Helper()
	for _, tag := range tags {
		packed, err := hex.DecodeString(tag[2:])
		if err != nil {
			t.Fatal(err)
		}
		r, err := zlib.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		plain = append(plain, tag[:2]+string(text))
	}
	slices.Sort(plain)
	return plain
}

// TestConsulWire holds what an agent of Consul is told of a service to what the
// plugin of v2 tells it for the same program: the same tags, byte by byte, apart from
// our mark. The golden files hold all requests of a life, with readable tags.
func TestConsulWire(t *testing.T) {
	agent := testkit.SharedConsul(t)
	const name = "go.micro.srv.服务"
	tags, plain := map[kind][]string{}, map[kind][]string{}
	for _, k := range kinds {
		r := recorderOf(t, agent)
		p := inConsul(t, k, r.Listener.Addr().String(), "interop.writer")
		p.start(peer.Service{
			Name: name, ID: "id", Version: "1.0 <beta> & \"more\"", Advertise: "10.1.2.3:4567",
			Metadata: map[string]string{"zone": "服务", "html": "<a&b>", "empty": ""},
			TTL:      2 * time.Second, Interval: time.Second,
		})
		testkit.Eventually(t, heard, "the service is registered and renewed", func() bool { return len(r.said()) >= 2 })
		p.stop(name)
		puts := r.said()
		var rest string
		tags[k], rest = registration(t, puts)
		plain[k] = readable(t, tags[k])
		var all strings.Builder
		fmt.Fprintf(&all, "PUT %s\n%s\n", puts[0].path, rest)
		for _, tag := range plain[k] {
			fmt.Fprintf(&all, "  %s\n", rollcallMark.ReplaceAllString(tag, `"rollcall":"VERSION"`))
		}
		for _, p := range puts[1:] {
			fmt.Fprintf(&all, "PUT %s\n%s\n", p.path, p.body)
		}
		golden(t, "consul."+string(k), all.String())
	}
	mark := slices.IndexFunc(plain[ours], func(tag string) bool { return rollcallMark.MatchString(tag) })
	if mark < 0 {
		t.Fatal("our mark is not there")
	}
	if rest := slices.Delete(slices.Clone(plain[ours]), mark, mark+1); !slices.Equal(rest, plain[v2]) {
		t.Errorf("v2 writes\n%q\nours writes\n%q", plain[v2], plain[ours])
	}
	unknown := slices.DeleteFunc(slices.Clone(tags[ours]), func(tag string) bool { return slices.Contains(tags[v2], tag) })
	if len(unknown) != 1 || len(tags[ours]) != len(tags[v2])+1 {
		t.Errorf("of the tags of ours v2 would write otherwise: %q", readable(t, unknown))
	}
}
