package bytes_test

import (
	stdbytes "bytes"
	"testing"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/bytes"
)

// buffer is a connection to oneself.
type buffer struct{ stdbytes.Buffer }

func (*buffer) Close() error { return nil }

// A frame comes out as it went in, by the codec and by the marshaler.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\x00\xff{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := bytes.NewCodec(&buffer{})
		if err := c.Write(&codec.Message{}, &bytes.Frame{Data: data}); err != nil {
			t.Fatal(err)
		}
		var frame bytes.Frame
		if err := c.ReadBody(&frame); err != nil || !stdbytes.Equal(frame.Data, data) {
			t.Errorf("%q became %q, %v", data, frame.Data, err)
		}
		sent, err := bytes.Marshaler{}.Marshal(&frame)
		if err != nil {
			t.Fatal(err)
		}
		var raw []byte
		if err := (bytes.Marshaler{}).Unmarshal(sent, &raw); err != nil || !stdbytes.Equal(raw, data) {
			t.Errorf("%q became %q, %v", data, raw, err)
		}
	})
}
