// Package currentpb is a protobuf service as the current generators of protobuf
// and gRPC make it. It is for tests.
package currentpb
