package protomsg

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// first is a message as protoc-gen-go 1.3 wrote them.
type first struct {
	Name string `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
}

func (m *first) Reset()         { *m = first{} }
func (m *first) String() string { return m.Name }
func (*first) ProtoMessage()    {}

func TestOf(t *testing.T) {
	current := wrapperspb.String("a")
	if m, ok := Of(current); !ok || m != proto.Message(current) {
		t.Errorf("Of(%v) = %v, %v, want it itself", current, m, ok)
	}

	old := &first{Name: "a"}
	m, ok := Of(old)
	if !ok {
		t.Fatal("a message of the first API is not recognised")
	}
	b, err := proto.Marshal(current) // the same field, on the wire
	if err != nil {
		t.Fatal(err)
	}
	proto.Reset(m)
	if err := proto.Unmarshal(b, m); err != nil || old.Name != "a" {
		t.Errorf("read %v, %v through the adapter, want name a", old, err)
	}

	for _, v := range []any{nil, "a", first{}, []byte{}} {
		if m, ok := Of(v); ok || m != nil {
			t.Errorf("Of(%T) = %v, %v, want nil, false", v, m, ok)
		}
	}
}
