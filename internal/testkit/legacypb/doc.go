// Package legacypb is a protobuf service of the kind that programs for go-micro
// v2 have checked in: its messages are by protoc-gen-go 1.3.5, and
// legacy.pb.micro.go has the shape that v2's generator gives its files, with the
// import paths changed to this module's. It is for tests.
package legacypb
