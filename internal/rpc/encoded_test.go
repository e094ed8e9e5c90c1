package rpc_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	grpcmd "google.golang.org/grpc/metadata"

	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/metadata"
)

// received returns the metadata that a handler finds of what a client sends.
func received(t testing.TB, md grpcmd.MD) metadata.Metadata {
	t.Helper()
	return rpc.Incoming(grpcmd.NewIncomingContext(t.Context(), md)).Metadata()
}

func TestEncodedNamesCountOnce(t *testing.T) {
	for _, tc := range []struct{ list, value, want string }{
		{"a", "%2541", "%41"},
		{"a,a", "%2541", "%41"},
		{"a, a ,b,a", "%2541", "%41"},
		{"b", "%2541", "%2541"},
		{",,,", "%2541", "%2541"},
		{"a", "%0D%0AX: 1%00", "\r\nX: 1\x00"}, // WIRE.md: controls may be in it
		{"a", "%E6%9C%8D", "服"},
		{"a", "%FF", "%FF"}, // no text when decoded
		{"a", "x%C0%80y", "x%C0%80y"},
	} {
		md := received(t, grpcmd.MD{rpc.EncodedHeader: {tc.list}, "a": {tc.value}})
		if md["a"] != tc.want {
			t.Errorf("%q in the list %q arrives as %q, want %q", tc.value, tc.list, md["a"], tc.want)
		}
	}
	md := received(t, grpcmd.MD{rpc.EncodedHeader: {"a", "b"}, "a": {"%41"}, "b": {"%42"}})
	if md["a"] != "A" || md["b"] != "B" {
		t.Errorf("a list in two headers: got %q", md)
	}
}

// A list of n names once cost n times the length of the value that they name.
func TestEncodedListCostsWhatItsHeadersHold(t *testing.T) {
	value := strings.Repeat("%41", 1<<16)
	for name, list := range map[string]string{
		"the same name":     strings.Repeat("a,", 1<<17) + "a",
		"names of nothing":  strings.Repeat("x,", 1<<17) + "a",
		"empty names":       strings.Repeat(",", 1<<18),
		"many and the same": strings.Repeat("a,b,", 1<<16),
	} {
		md := grpcmd.MD{rpc.EncodedHeader: {list}, "a": {value}, "b": {value}}
		n := testing.AllocsPerRun(1, func() { received(t, md) })
		if n > 100 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// Headers are passed on in a time that grows with their number, not with its square.
func TestPassingHeadersOn(t *testing.T) {
	md := metadata.Metadata{}
	for i := range 100_000 {
		md[fmt.Sprintf("A!B%dC", i)] = ""
	}
	md["X-Request-Id"], md["X-Request-ID"] = "brought", "own"
	ctx, dropped := rpc.Outgoing(metadata.NewContext(t.Context(), md))
	out, _ := grpcmd.FromOutgoingContext(ctx)
	if len(dropped) != 100_000 || len(out) != 1 || out["x-request-id"][0] != "own" {
		t.Errorf("dropped %d, goes out: %v", len(dropped), out)
	}
}

func TestValuesAreText(t *testing.T) {
	md := received(t, grpcmd.MD{"x-latin": {"caf\xe9", "\xff"}, "x-bin": {"\xff\x00"}, "x-text": {"服务"}})
	if md["x-latin"] != "caf\uFFFD, \uFFFD" || md["x-bin"] != "\xff\x00" || md["x-text"] != "服务" {
		t.Errorf("got %q", md)
	}
	for name, v := range md {
		if !strings.HasSuffix(name, "-bin") && !utf8.ValidString(v) {
			t.Errorf("%s is no text: %q", name, v)
		}
	}
}

func TestExcerpt(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"short", "short"},
		{strings.Repeat("x", rpc.ExcerptLimit), strings.Repeat("x", rpc.ExcerptLimit)},
		{strings.Repeat("x", 1<<20), strings.Repeat("x", rpc.ExcerptLimit) + "... (1048576 bytes)"},
		{"x" + strings.Repeat("服", 100), "x" + strings.Repeat("服", 66) + "... (301 bytes)"},
		{strings.Repeat("\xbf", 300), strings.Repeat("\xbf", rpc.ExcerptLimit-utf8.UTFMax) + "... (300 bytes)"},
	} {
		if got := rpc.Excerpt(tc.in); got != tc.want {
			t.Errorf("%d bytes: got %q, want %q", len(tc.in), got, tc.want)
		}
	}
}

// What a caller sent comes back in errors, but not all of it.
func TestErrorsQuoteAnExcerpt(t *testing.T) {
	long := strings.Repeat("1", 1<<20)
	json, err := rpc.NewServerCodecs(nil).Find("application/json")
	if err != nil {
		t.Fatal(err)
	}
	var table rpc.Table
	if err := table.Add(newHandler(t, &Mixed{})); err != nil {
		t.Fatal(err)
	}
	_, _, badPath := rpc.SplitPath("/" + long)
	_, _, escaped := rpc.SplitPath("/" + strings.Repeat("\x00", 1<<20))
	_, badType := rpc.NewServerCodecs(nil).Find("application/" + long)
	_, noHandler := table.Find(long, "Say")
	_, noMethod := table.Find("Mixed", long)
	var small struct{ N int8 }
	for name, err := range map[string]error{
		"path": badPath, "path of controls": escaped, "content type": badType, "handler": noHandler, "method": noMethod,
		"body": json.Unmarshal(buffers(`{"N":`+long+`}`), &small),
	} {
		if err == nil || len(err.Error()) > 5*rpc.ExcerptLimit {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}
