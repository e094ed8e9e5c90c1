package json_test

import (
	"bytes"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/json"
)

// conn is a connection to oneself.
type conn struct{ bytes.Buffer }

func (*conn) Close() error { return nil }

// What can be read of a body, as any value and as a message of protobuf, can be written
// and is then read as the same.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5,null,"\u0000服"],"b":{}}`))
	f.Add([]byte(`"x" 1`))
	f.Add([]byte(`1e999`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var value, again any
		c := json.NewCodec(&conn{*bytes.NewBuffer(body)})
		if c.ReadBody(&value) == nil {
			back := json.NewCodec(&conn{})
			if err := back.Write(&codec.Message{}, value); err != nil {
				t.Fatalf("%#v was read and cannot be written: %v", value, err)
			}
			if err := back.ReadBody(&again); value != nil && (err != nil || !reflect.DeepEqual(value, again)) {
				t.Errorf("%#v became %#v, %v", value, again, err)
			}
		}
		var message, copied structpb.Value
		if (json.Marshaler{}).Unmarshal(body, &message) != nil {
			return
		}
		text, err := json.Marshaler{}.Marshal(&message)
		if err != nil {
			t.Fatalf("%v was read and cannot be written: %v", &message, err)
		}
		if err := (json.Marshaler{}).Unmarshal(text, &copied); err != nil || !proto.Equal(&message, &copied) {
			t.Errorf("%v became %v, %v", &message, &copied, err)
		}
	})
}
