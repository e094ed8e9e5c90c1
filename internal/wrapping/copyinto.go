package wrapping

import (
	"reflect"

	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/internal/protomsg"
)

// copyInto makes what dst points at equal to what src points at, and reports
// whether it could: both must be pointers to the same type. A protobuf message
// is copied as one; anything else field by field, sharing what fields point at.
func copyInto(dst, src any) bool {
	to, from := reflect.ValueOf(dst), reflect.ValueOf(src)
	if to.Kind() != reflect.Pointer || from.Kind() != reflect.Pointer || to.Type() != from.Type() || to.IsNil() || from.IsNil() {
		return false
	}
	if d, ok := protomsg.Of(dst); ok {
		s, ok := protomsg.Of(src)
		if !ok {
			return false
		}
		proto.Reset(d)
		proto.Merge(d, s)
		return true
	}
	to.Elem().Set(from.Elem())
	return true
}
