// Package kinds has a service with every kind of method, as protoc-gen-micro writes it. It is for
// tests.
package kinds
