package grpc

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rollcall-go/micro/transport"
)

// codec encodes messages of v2's transport/grpc/proto: a map of headers in field 1 and the body
// in field 2. It is written by hand, since the names of that package are taken in protobuf's
// registry where go-micro v2 is linked as well.
type codec struct{}

// Name is that of protobuf, which the content type says.
func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(*transport.Message)
	if !ok {
		return nil, fmt.Errorf("marshal a %T, no *transport.Message", v)
	}
	var b []byte
	for _, k := range slices.Sorted(maps.Keys(m.Header)) {
		entry := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), k)
		entry = protowire.AppendString(protowire.AppendTag(entry, 2, protowire.BytesType), m.Header[k])
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), entry)
	}
	if len(m.Body) > 0 {
		b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), m.Body)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*transport.Message)
	if !ok {
		return fmt.Errorf("unmarshal into a %T, no *transport.Message", v)
	}
	got := transport.Message{Header: map[string]string{}}
	err := fields(data.Materialize(), func(num protowire.Number, value []byte) error {
		switch num {
		case 1:
			var k, v string
			err := fields(value, func(num protowire.Number, value []byte) error {
				switch num {
				case 1:
					k = string(value)
				case 2:
					v = string(value)
				}
				return nil
			})
			got.Header[k] = v
			return err
		case 2:
			got.Body = value
		}
		return nil
	})
	if err == nil {
		*m = got
	}
	return err
}

// fields calls f with each field of a message that is text, bytes or a message, and skips others.
func fields(b []byte, f func(protowire.Number, []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errors.New("read a message: it is no protobuf")
		}
		b = b[n:]
		if typ == protowire.BytesType {
			value, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return errors.New("read a message: it is cut off")
			}
			if err := f(num, value); err != nil {
				return err
			}
			b = b[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return errors.New("read a message: it is cut off")
		}
		b = b[n:]
	}
	return nil
}
