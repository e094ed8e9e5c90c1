// Package protomsg recognises protobuf messages, whichever generator wrote them.
package protomsg

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// Of returns v as a message of the current protobuf API, and whether it is a
// message at all. Messages of the first API, those by protoc-gen-go 1.3 and
// before included, are adapted; the result then still reads and writes v.
func Of(v any) (proto.Message, bool) {
	switch m := v.(type) {
	case proto.Message:
		return m, true
	case protoadapt.MessageV1:
		return protoadapt.MessageV2Of(m), true
	default:
		return nil, false
	}
}
