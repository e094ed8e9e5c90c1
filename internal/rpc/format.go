package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/protomsg"
)

// copied returns data in a buffer of its own: grpc sends after it has returned,
// when data may be in use again.
func copied(data []byte) mem.BufferSlice {
	return mem.BufferSlice{mem.Copy(data, mem.DefaultBufferPool())}
}

// view calls read with the whole of data, which is valid until read returns.
func view(data mem.BufferSlice, read func([]byte) error) error {
	b := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer b.Free()
	return read(b.ReadOnlyData())
}

// protoFormat is for protobuf messages, whichever generator wrote them.
type protoFormat struct{}

func (protoFormat) marshal(v any) (mem.BufferSlice, error) {
	m, ok := protomsg.Of(v)
	if !ok {
		return nil, fmt.Errorf("marshal a %T, which is no protobuf message: %w", v, codec.ErrInvalidMessage)
	}
	size := proto.Size(m)
	opts := proto.MarshalOptions{UseCachedSize: true}
	if mem.IsBelowBufferPoolingThreshold(size) {
		b, err := opts.Marshal(m)
		if err != nil {
			return nil, err
		}
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	pool := mem.DefaultBufferPool()
	buf := pool.Get(size)
	b, err := opts.MarshalAppend((*buf)[:0], m)
	if err != nil {
		pool.Put(buf)
		return nil, err
	}
	*buf = b
	return mem.BufferSlice{mem.NewBuffer(buf, pool)}, nil
}

func (protoFormat) unmarshal(data mem.BufferSlice, v any) error {
	m, ok := protomsg.Of(v)
	if !ok {
		return fmt.Errorf("unmarshal protobuf into a %T, which is no message: %w", v, codec.ErrInvalidMessage)
	}
	if _, own := v.(interface{ Unmarshal([]byte) error }); own {
		// Messages that decode themselves are often such as keep what they are given.
		return proto.Unmarshal(data.Materialize(), m)
	}
	return view(data, func(b []byte) error { return proto.Unmarshal(b, m) })
}

// useNumber makes clients decode JSON numbers of no given type as json.Number.
var useNumber atomic.Bool

// UseNumber makes all clients of the process, from now on, decode a JSON number
// that goes into an interface as a json.Number instead of a float64.
func UseNumber() { useNumber.Store(true) }

// jsonFormat is for any value; protobuf messages follow protobuf's rules for JSON.
type jsonFormat struct{ client bool }

func (f jsonFormat) marshal(v any) (mem.BufferSlice, error) {
	m, ok := protomsg.Of(v)
	if !ok {
		b, err := json.Marshal(v)
		return mem.BufferSlice{mem.SliceBuffer(b)}, err
	}
	spaced, err := protojson.MarshalOptions{UseProtoNames: !f.client}.Marshal(m)
	if err != nil {
		return nil, err
	}
	// protojson puts blanks into its output that differ from build to build.
	b := bytes.NewBuffer(make([]byte, 0, len(spaced)))
	if err := json.Compact(b, spaced); err != nil {
		return nil, err
	}
	return mem.BufferSlice{mem.SliceBuffer(b.Bytes())}, nil
}

// unmarshal leaves v alone if there is no data.
func (f jsonFormat) unmarshal(data mem.BufferSlice, v any) error {
	if data.Len() == 0 {
		return nil
	}
	return view(data, func(b []byte) error {
		if m, ok := protomsg.Of(v); ok {
			return protojson.Unmarshal(b, m)
		}
		if f.client && useNumber.Load() {
			d := json.NewDecoder(bytes.NewReader(b))
			d.UseNumber()
			return d.Decode(v)
		}
		return json.Unmarshal(b, v)
	})
}

// bytesFormat is for bytes.
type bytesFormat struct{}

func (bytesFormat) marshal(v any) (mem.BufferSlice, error) {
	switch v := v.(type) {
	case *[]byte:
		return copied(*v), nil
	case []byte:
		return copied(v), nil
	default:
		return nil, fmt.Errorf("marshal a %T, not a []byte, *[]byte or *bytes.Frame, as bytes: %w", v, codec.ErrInvalidMessage)
	}
}

func (bytesFormat) unmarshal(data mem.BufferSlice, v any) error {
	to, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("unmarshal bytes into a %T, not a *[]byte or *bytes.Frame: %w", v, codec.ErrInvalidMessage)
	}
	*to = data.Materialize()
	return nil
}

// ownFormat is a codec that the program brought.
type ownFormat struct{ codec encoding.Codec }

func (f ownFormat) marshal(v any) (mem.BufferSlice, error) {
	b, err := f.codec.Marshal(v)
	if err != nil {
		return nil, err
	}
	return copied(b), nil
}

func (f ownFormat) unmarshal(data mem.BufferSlice, v any) error {
	return f.codec.Unmarshal(data.Materialize(), v)
}
