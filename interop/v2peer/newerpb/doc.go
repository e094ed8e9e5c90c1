// Package newerpb has messages by protoc-gen-go 1.22, which hold fields of the
// protobuf library's own.
package newerpb
