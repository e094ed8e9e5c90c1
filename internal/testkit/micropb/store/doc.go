// Package store has a service whose methods say whether they may run twice, as
// protoc-gen-go and protoc-gen-micro write it.
package store
