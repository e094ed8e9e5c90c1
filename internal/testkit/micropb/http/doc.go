// Package http has a service with annotations for HTTP, as protoc-gen-micro writes it. It is for
// tests.
package http
