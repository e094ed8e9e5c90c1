package errors

import (
	"bytes"
	stderrors "errors"
	"io"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

var samples = []*Error{
	{},
	{Id: "my.id", Code: 404, Detail: "nope 7", Status: "Not Found"},
	{Id: "ünï", Code: -1},
	{Detail: string(make([]byte, 300))},
}

func TestProtoRoundTrip(t *testing.T) {
	for _, want := range samples {
		got := Error{Id: "to be replaced", Code: 1, Detail: "x", Status: "y"}
		if err := got.UnmarshalProto(want.MarshalProto()); err != nil || got != *want {
			t.Errorf("round trip of %v = %v, %v", want, &got, err)
		}
	}
}

// The struct tags describe the message to protobuf, which must come to the same
// bytes.
func TestProtoEqualsProtobufs(t *testing.T) {
	for _, e := range samples {
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(protoadapt.MessageV2Of(e))
		if err != nil {
			t.Fatal(err)
		}
		if got := e.MarshalProto(); !bytes.Equal(got, want) {
			t.Errorf("MarshalProto of %v = %x, protobuf writes %x", e, got, want)
		}
	}
}

func TestNotRegistered(t *testing.T) {
	_ = protoadapt.MessageV2Of(new(Error)).ProtoReflect().Descriptor()
	typ, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(ProtoName))
	if !stderrors.Is(err, protoregistry.NotFound) {
		t.Errorf("the registry holds %v, %v under %s", typ, err, ProtoName)
	}
}

func TestMarshalProtoMendsText(t *testing.T) {
	e := &Error{Detail: "a\xffb"}
	var got Error
	if err := got.UnmarshalProto(e.MarshalProto()); err != nil || got.Detail != "a\uFFFDb" {
		t.Errorf("round trip of %q = %q, %v", e.Detail, got.Detail, err)
	}
}

func TestUnmarshalProtoSkipsTheUnknown(t *testing.T) {
	b := (&Error{Id: "a", Code: 1}).MarshalProto()
	b = protowire.AppendString(protowire.AppendTag(b, 9, protowire.BytesType), "new")
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), 5) // an id is text
	b = protowire.AppendFixed64(protowire.AppendTag(b, 10, protowire.Fixed64Type), 5)
	var got Error
	if err := got.UnmarshalProto(b); err != nil || got != (Error{Id: "a", Code: 1}) {
		t.Errorf("got %v, %v", &got, err)
	}
}

func TestUnmarshalProtoOfHalf(t *testing.T) {
	whole := samples[1].MarshalProto()
	fields := map[int]bool{} // lengths at which a field is complete
	for n := 0; n < len(whole); {
		fields[n] = true
		_, _, l := protowire.ConsumeField(whole[n:])
		n += l
	}
	for n := range whole {
		e := Error{Id: "before"}
		err := e.UnmarshalProto(whole[:n])
		if fields[n] {
			if err != nil {
				t.Errorf("the first %d bytes, whole fields: %v", n, err)
			}
			continue
		}
		if !stderrors.Is(err, io.ErrUnexpectedEOF) || e != (Error{Id: "before"}) {
			t.Errorf("the first %d bytes: %v, %v, want io.ErrUnexpectedEOF and no change", n, &e, err)
		}
	}
}

func TestNilError(t *testing.T) {
	var e *Error
	if e.GetId() != "" || e.GetCode() != 0 || e.GetDetail() != "" || e.GetStatus() != "" || len(e.MarshalProto()) != 0 {
		t.Error("a nil error is not empty")
	}
	if got := e.Error(); got != "null" {
		t.Errorf("Error() = %q, want null", got)
	}
}
