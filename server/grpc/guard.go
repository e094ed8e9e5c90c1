package grpc

import (
	"context"

	"google.golang.org/grpc"
)

// guards make the services registered with grpc itself answer errors and panics as
// handlers do; grpc would let a panic end the process.
func guards() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(guardUnary), grpc.ChainStreamInterceptor(guardStream)}
}

func guardUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (rsp any, err error) {
	defer func() { err = statusOf(err) }()
	defer recoverTo(&err)
	return next(ctx, req)
}

func guardStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() { err = statusOf(err) }()
	defer recoverTo(&err)
	return next(srv, stream)
}
