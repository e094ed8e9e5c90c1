package rpc

import (
	"context"
	"strconv"
	"strings"
	"time"

	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/rollcall-go/micro/metadata"
)

// Names of headers with a meaning of their own.
const (
	// EncodedHeader lists, separated by commas, the headers whose values are
	// percent-encoded because they are not printable ASCII.
	EncodedHeader = "rollcall-encoded"
	// TimeoutHeader is v2's deadline: how many nanoseconds the call may take.
	TimeoutHeader = "timeout"
	// spanHeader is the span that a call is part of, as package debug/trace writes it.
	spanHeader = "micro-span-id"
	// typeHeader is v2's second content type.
	typeHeader = "x-content-type"
	// remoteKey is where a handler finds the address of its caller.
	remoteKey = "Remote"
)

// Outgoing returns ctx with its metadata as the headers of a call made under it,
// beside those that the program gave to grpc by itself. Names that cannot stand
// in a header are left out and returned. What belongs to one connection or one
// call alone is left out silently; that metadata came with a request, and is not
// for the next server. Of names that differ in case alone one goes out. Without metadata it returns ctx as it is.
func Outgoing(ctx context.Context) (_ context.Context, dropped []string) {
	var b headers
	doubled := false
	for name, value := range metadata.All(ctx) {
		if doubled = hasInnerCapital(name); doubled {
			break
		}
		b.add(name, value)
	}
	if doubled { // it may be the same header as another name
		b = headers{}
		md, _ := metadata.FromContext(ctx)
		unify(md)
		for name, value := range md {
			b.add(name, value)
		}
	}
	if b.encoded != nil {
		b.kv = append(b.kv, EncodedHeader, strings.Join(b.encoded, ","))
	}
	if b.kv == nil {
		return ctx, b.dropped
	}
	return grpcmd.AppendToOutgoingContext(ctx, b.kv...), b.dropped
}

// headers are metadata as grpc takes it.
type headers struct {
	kv      []string // names and values in turn
	encoded []string // names of headers whose values are percent-encoded
	dropped []string // names that cannot stand in a header
}

func (h *headers) add(name, value string) {
	key := lower(name)
	switch {
	case confined(key):
		return
	case !legalKey(key):
		h.dropped = append(h.dropped, name)
		return
	case !strings.HasSuffix(key, "-bin") && !printable(value):
		value = percentEncode(value)
		h.encoded = append(h.encoded, key)
	}
	if h.kv == nil {
		h.kv = make([]string, 0, 8) // three headers are the usual
	}
	h.kv = append(h.kv, key, value)
}

// lower returns the name in lower case. Those that calls carry most often cost nothing.
func lower(name string) string {
	switch name {
	case "Micro-From-Service":
		return "micro-from-service"
	case "Micro-Trace-Id":
		return "micro-trace-id"
	case "Micro-Span-Id":
		return "micro-span-id"
	case "Authorization":
		return "authorization"
	default:
		return strings.ToLower(name)
	}
}

// unify removes, of names that differ in case alone and are one header on the wire,
// all but the first in byte order: a program's X-Request-ID stands for the
// X-Request-Id that a request brought.
func unify(md metadata.Metadata) {
	first := make(map[string]string, len(md))
	for name := range md {
		key := strings.ToLower(name)
		if other, twice := first[key]; !twice || name < other {
			first[key] = name
		}
	}
	for name := range md {
		if first[strings.ToLower(name)] != name {
			delete(md, name)
		}
	}
}

// hasInnerCapital reports whether a name has a capital within a word, as none has
// that arrived.
func hasInnerCapital(name string) bool {
	for i := 1; i < len(name); i++ {
		if prev := name[i-1]; 'A' <= name[i] && name[i] <= 'Z' && prev != '-' && prev != '.' {
			return true
		}
	}
	return false
}

// Headers are what arrived with a request.
type Headers struct {
	// ContentType of the bodies.
	ContentType string
	// Timeout is how long the call may take by v2's header; HasTimeout tells
	// whether there was one.
	Timeout    time.Duration
	HasTimeout bool

	ctx context.Context // of the request
}

// Incoming returns the headers of the request that ctx belongs to.
func Incoming(ctx context.Context) Headers {
	h := Headers{ContentType: first(ctx, "content-type"), ctx: ctx}
	if h.ContentType == "" {
		h.ContentType = first(ctx, typeHeader)
	}
	if v := first(ctx, TimeoutHeader); v != "" {
		n, err := strconv.ParseUint(v, 10, 63)
		h.Timeout, h.HasTimeout = time.Duration(n), err == nil
	}
	return h
}

func first(ctx context.Context, key string) string {
	if v := grpcmd.ValueFromIncomingContext(ctx, key); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Traced reports whether the call is part of a trace, by v2's header.
func (h Headers) Traced() bool { return first(h.ctx, spanHeader) != "" }

// Metadata returns every header that is the program's business, several values
// joined by ", ", and the caller's address under Remote.
func (h Headers) Metadata() metadata.Metadata { return received(h.ctx) }

// NewContext returns ctx, which is that of the request or one made from it, with the
// metadata. It is put together when somebody asks for the first time, and nobody may
// write it.
func (h Headers) NewContext(ctx context.Context) context.Context {
	return metadata.NewDeferredContext(ctx, received)
}

// received puts together the metadata of the request that ctx belongs to.
func received(ctx context.Context) metadata.Metadata {
	in, _ := grpcmd.FromIncomingContext(ctx)
	md := make(metadata.Metadata, len(in)+1)
	for key, values := range in {
		md[key] = textOf(key, values)
	}
	decode(md, len(in))
	for _, own := range []string{EncodedHeader, TimeoutHeader, typeHeader} {
		delete(md, own)
	}
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil {
		md[remoteKey] = p.Addr.String()
	}
	return md
}

// confined reports whether a header, its name in lower case, is about one
// connection or one call and must not travel further.
func confined(key string) bool {
	switch key {
	case "content-type", "content-length", "user-agent", "te", "host",
		"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade",
		"remote", TimeoutHeader, typeHeader, EncodedHeader:
		return true
	}
	return strings.HasPrefix(key, ":") || strings.HasPrefix(key, "grpc-")
}

// legalKey reports whether a name in lower case may stand in a header.
func legalKey(key string) bool {
	for i := 0; i < len(key); i++ {
		c := key[i]
		if !isLower(c) && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return key != ""
}
