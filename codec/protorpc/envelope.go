package protorpc

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Request is what stands before the body of a request. Its name is taken in protobuf's
// registry where go-micro v2 is linked as well, so it is read and written by hand.
type Request struct {
	ServiceMethod string `protobuf:"bytes,1,opt,name=service_method,json=serviceMethod,proto3" json:"service_method,omitempty"`
	Seq           uint64 `protobuf:"fixed64,2,opt,name=seq,proto3" json:"seq,omitempty"`
}

// Response is what stands before the body of an answer.
type Response struct {
	ServiceMethod string `protobuf:"bytes,1,opt,name=service_method,json=serviceMethod,proto3" json:"service_method,omitempty"`
	Seq           uint64 `protobuf:"fixed64,2,opt,name=seq,proto3" json:"seq,omitempty"`
	Error         string `protobuf:"bytes,3,opt,name=error,proto3" json:"error,omitempty"`
}

// The methods of a protobuf message of the first API.

func (m *Request) Reset() { *m = Request{} }
func (m *Request) String() string {
	return fmt.Sprintf("service_method:%q seq:%d", m.GetServiceMethod(), m.GetSeq())
}
func (*Request) ProtoMessage() {}

// GetServiceMethod returns ServiceMethod.
func (m *Request) GetServiceMethod() string {
	if m == nil {
		return ""
	}
	return m.ServiceMethod
}

// GetSeq returns Seq.
func (m *Request) GetSeq() uint64 {
	if m == nil {
		return 0
	}
	return m.Seq
}

func (m *Response) Reset() { *m = Response{} }
func (m *Response) String() string {
	return fmt.Sprintf("service_method:%q seq:%d error:%q", m.GetServiceMethod(), m.GetSeq(), m.GetError())
}
func (*Response) ProtoMessage() {}

// GetServiceMethod returns ServiceMethod.
func (m *Response) GetServiceMethod() string {
	if m == nil {
		return ""
	}
	return m.ServiceMethod
}

// GetSeq returns Seq.
func (m *Response) GetSeq() uint64 {
	if m == nil {
		return 0
	}
	return m.Seq
}

// GetError returns Error.
func (m *Response) GetError() string {
	if m == nil {
		return ""
	}
	return m.Error
}

// The numbers of the fields.
const (
	fieldMethod protowire.Number = 1
	fieldSeq    protowire.Number = 2
	fieldError  protowire.Number = 3
)

// marshal returns an envelope, which has an error if it is that of an answer.
func marshal(m Response) []byte {
	var b []byte
	if m.ServiceMethod != "" {
		b = protowire.AppendString(protowire.AppendTag(b, fieldMethod, protowire.BytesType), m.ServiceMethod)
	}
	if m.Seq != 0 {
		b = protowire.AppendFixed64(protowire.AppendTag(b, fieldSeq, protowire.Fixed64Type), m.Seq)
	}
	if m.Error != "" {
		b = protowire.AppendString(protowire.AppendTag(b, fieldError, protowire.BytesType), m.Error)
	}
	return b
}

// unmarshal reads an envelope. Fields that it does not know are skipped.
func unmarshal(b []byte) (m Response, err error) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n >= 0 {
			b = b[n:]
			switch {
			case num == fieldMethod && typ == protowire.BytesType:
				m.ServiceMethod, n = protowire.ConsumeString(b)
			case num == fieldSeq && typ == protowire.Fixed64Type:
				m.Seq, n = protowire.ConsumeFixed64(b)
			case num == fieldError && typ == protowire.BytesType:
				m.Error, n = protowire.ConsumeString(b)
			default:
				n = protowire.ConsumeFieldValue(num, typ, b)
			}
		}
		if n < 0 {
			return Response{}, fmt.Errorf("read the envelope: %w", protowire.ParseError(n))
		}
		b = b[n:]
	}
	return m, nil
}
