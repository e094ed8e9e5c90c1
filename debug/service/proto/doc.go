// Package debug is what services say about themselves: the messages of go-micro v2, field
// for field, in a protobuf package of their own, and the code to ask with:
//
//	rsp, err := debug.NewDebugService("greeter", client.DefaultClient).Health(ctx, &debug.HealthRequest{})
package debug
