// Package greeterpb has messages by protoc-gen-go 1.3.5 and services in the shape
// of go-micro v2's generator, as most programs for v2 have them checked in.
package greeterpb
