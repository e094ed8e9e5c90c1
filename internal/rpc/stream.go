package rpc

import (
	"context"
	"reflect"

	"github.com/rollcall-go/micro/server"
)

// Converse calls the method, which has to be a stream. It panics if the method does.
func (m *Method) Converse(ctx context.Context, stream server.Stream) error {
	out := m.fn.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(stream)})
	err, _ := out[0].Interface().(error)
	return err
}
