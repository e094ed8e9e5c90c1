package rpc

import (
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"github.com/rollcall-go/micro/codec/bytes"
)

// Codec turns bodies into bytes and back. Whatever its format, a *bytes.Frame
// goes through as it is. No memory of grpc's pools is left in what it decodes
// into, and none of a frame's in what it sends. It is safe for concurrent use.
type Codec struct {
	name   string
	format format
}

var _ encoding.CodecV2 = (*Codec)(nil)

// format encodes and decodes bodies that are no frames. Its methods neither keep
// nor free what they are given.
type format interface {
	marshal(v any) (mem.BufferSlice, error)
	unmarshal(data mem.BufferSlice, v any) error
}

// Name returns the content subtype: what follows application/grpc+ on the wire.
func (c *Codec) Name() string { return c.name }

// Marshal encodes v.
func (c *Codec) Marshal(v any) (mem.BufferSlice, error) {
	switch v := v.(type) {
	case *Body:
		return v.take()
	case *bytes.Frame:
		return copied(v.Data), nil
	default:
		return c.format.marshal(v)
	}
}

// Unmarshal decodes data into v.
func (c *Codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch v := v.(type) {
	case *Body:
		if err := v.Codec.Unmarshal(data, v.Value); err != nil {
			return fmt.Errorf("%s%w", OfRequest, err)
		}
		return nil
	case *bytes.Frame:
		v.Data = data.Materialize()
		return nil
	default:
		return shortened(c.format.unmarshal(data, v))
	}
}

// Proto is the codec of protobuf messages. It is also the one to force upon a
// grpc.Server: that way the services that grpc itself knows see the messages that
// they expect.
var Proto = &Codec{name: "proto", format: protoFormat{}}

// raw is the codec of bytes.
var raw = &Codec{name: "bytes", format: bytesFormat{}}

// Codecs finds the codec of a content type. It is not changed once made.
type Codecs map[string]*Codec

// NewClientCodecs returns the codecs of a client: those that the program brings,
// by content type, in front of those that it need not bring.
func NewClientCodecs(own map[string]encoding.Codec) Codecs {
	return newCodecs(&Codec{name: "json", format: jsonFormat{client: true}}, own)
}

// NewServerCodecs returns the codecs of a server. They differ from those of a
// client in JSON: a server spells the fields of a protobuf message as the .proto
// file does, a client in lowerCamelCase. Both read both.
func NewServerCodecs(own map[string]encoding.Codec) Codecs {
	return newCodecs(&Codec{name: "json", format: jsonFormat{}}, own)
}

func newCodecs(json *Codec, own map[string]encoding.Codec) Codecs {
	cs := Codecs{
		"application/grpc":         Proto,
		"application/grpc+proto":   Proto,
		"application/proto":        Proto,
		"application/protobuf":     Proto,
		"application/octet-stream": Proto,
		"application/json":         json,
		"application/grpc+json":    json,
		"application/grpc+bytes":   raw,
	}
	for contentType, c := range own {
		cs[contentType] = &Codec{name: strings.ToLower(c.Name()), format: ownFormat{c}}
	}
	// A codec is announced on the wire by its name alone; of two with one name the
	// first content type counts.
	for _, contentType := range slices.Sorted(maps.Keys(own)) {
		wire := "application/grpc+" + cs[contentType].name
		if _, taken := cs[wire]; !taken {
			cs[wire] = cs[contentType]
		}
	}
	return cs
}

// Find returns the codec of a content type. Parameters and case do not count.
func (cs Codecs) Find(contentType string) (*Codec, error) {
	if c, ok := cs[contentType]; ok {
		return c, nil
	}
	if plain, _, err := mime.ParseMediaType(contentType); err == nil {
		if c, ok := cs[plain]; ok {
			return c, nil
		}
	}
	return nil, unsupportedError(contentType)
}

// unsupportedError is the content type that no codec was found for.
type unsupportedError string

// Error has the words, and the capital, that v2's clients and servers send.
func (e unsupportedError) Error() string {
	return fmt.Sprintf("Unsupported Content-Type: %s", Excerpt(string(e)))
}
