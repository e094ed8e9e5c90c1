package rpc_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/metadata"
)

func buffers(s string) mem.BufferSlice { return mem.BufferSlice{mem.SliceBuffer(s)} }

func FuzzIncoming(f *testing.F) {
	f.Add("x-a", "v", "w", "")
	f.Add("a", "%2541", "", "a,a")
	f.Add("a", "%0d%0aX: 1%00%ff", "%", "a, b")
	f.Add("x-bin", "\xff", "\x00", "x-bin")
	f.Add("remote", "1.2.3.4", "\xe9", "remote,rollcall-encoded,timeout")
	f.Fuzz(func(t *testing.T, key, one, two, list string) {
		in := grpcmd.MD{key: {one, two}, rpc.EncodedHeader: {list}}
		md := received(t, in)
		for name, v := range md {
			if !strings.HasSuffix(name, "-bin") && !utf8.ValidString(v) {
				t.Errorf("%q holds no text: %q", name, v)
			}
			if len(v) > 3*(len(one)+len(two))+len(", ") {
				t.Errorf("%d and %d bytes became %d", len(one), len(two), len(v))
			}
		}
	})
}

func FuzzHeadersThereAndBack(f *testing.F) {
	f.Add("X-Foo", "bar")
	f.Add("x-percent", "100%")
	f.Add("X-Text", "服务\r\n\x00")
	f.Add("X-Data-Bin", "\x00\xff")
	f.Fuzz(func(t *testing.T, key, value string) {
		if !strings.HasSuffix(strings.ToLower(key), "-bin") && !utf8.ValidString(value) {
			t.Skip("bytes travel under a key that ends in -bin")
		}
		sent := metadata.NewContext(t.Context(), metadata.Metadata{key: value})
		ctx, dropped := rpc.Outgoing(sent)
		out, _ := grpcmd.FromOutgoingContext(ctx)
		if len(dropped) > 0 || len(out) == 0 {
			return // no header, or none of the program's
		}
		got, ok := received(t, out)[strings.ToLower(key)]
		if !ok || got != value {
			t.Errorf("sent %q: %q, arrived %q", key, value, received(t, out))
		}
	})
}

func FuzzSplitPath(f *testing.F) {
	for _, p := range []string{"", "/", "//", "/a.B/C", "/a/b.C/D", "/B/C", "/.B/C", "a.B/C", "/a.B/C/D", "/\x00.\xff/服"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, path string) {
		handler, method, err := rpc.SplitPath(path)
		if err != nil {
			if handler != "" || method != "" || len(err.Error()) > 5*rpc.ExcerptLimit {
				t.Errorf("%q, %q and an error of %d bytes", handler, method, len(err.Error()))
			}
			return
		}
		if handler == "" || method == "" || strings.ContainsAny(handler, "./") || strings.Contains(method, "/") {
			t.Errorf("%q is handler %q, method %q", path, handler, method)
		}
		if prefix := rpc.PathPrefix(path); !strings.HasPrefix(path, "/"+prefix) || !strings.HasSuffix(path, handler+"/"+method) {
			t.Errorf("%q is prefix %q, handler %q, method %q", path, prefix, handler, method)
		}
		if strings.Contains(method, ".") {
			return // no endpoint of Path
		}
		if again, m, err := rpc.SplitPath(rpc.Path("a/b.c", handler+"."+method)); again != handler || m != method || err != nil {
			t.Errorf("by name: %q, %q, %v", again, m, err)
		}
	})
}

func FuzzStatus(f *testing.F) {
	f.Add("id", int32(404), "detail", uint32(5), "text")
	f.Add("", int32(0), "", uint32(0), "")
	f.Add("\xff", int32(200), "{\"code\":7}", uint32(99), "{\"detail\":\"x\"}")
	f.Fuzz(func(t *testing.T, id string, code int32, detail string, grpcCode uint32, text string) {
		sent := errors.New(id, detail, code)
		s := rpc.ToStatus(sent)
		if st, ok := status.FromError(s); !ok || st.Code() == codes.OK || !utf8.ValidString(st.Message()) {
			t.Errorf("%v becomes %v", sent, s)
		}
		var got *errors.Error
		if err := rpc.FromStatus(s); err == nil {
			t.Error("a failure became none")
		} else if got = errors.FromError(err); got == nil {
			t.Errorf("%v becomes %v", s, err)
		}
		if foreign := status.Error(codes.Code(grpcCode), text); foreign != nil && rpc.FromStatus(foreign) == nil {
			t.Errorf("%v becomes no error", foreign)
		}
	})
}

func FuzzCodecs(f *testing.F) {
	f.Add("application/json", []byte(`{"text":"x","number_of_times":1}`))
	f.Add("application/json", []byte(`{"text":1e999999}`))
	f.Add("application/grpc+proto", []byte("\x0a\x01x"))
	f.Add("application/grpc+bytes", []byte("raw"))
	f.Add("Application/JSON; charset=utf-8", []byte(strings.Repeat("[", 10_000)))
	codecs := rpc.NewServerCodecs(nil)
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		c, err := codecs.Find(contentType)
		if err != nil {
			return
		}
		var raw []byte
		var plain struct {
			Text string
			N    int8
		}
		for _, into := range []any{&currentpb.SayRequest{}, &plain, &raw} {
			if err := c.Unmarshal(buffers(string(body)), into); err != nil {
				if len(err.Error()) > 2*rpc.ExcerptLimit {
					t.Errorf("an error of %d bytes", len(err.Error()))
				}
				continue
			}
			data, err := c.Marshal(into)
			if err != nil {
				t.Errorf("%T was read and cannot be written: %v", into, err)
				continue
			}
			data.Free()
		}
	})
}
