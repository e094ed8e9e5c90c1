// Package greeterpb is the contract of the greeter. All but this file is made of
// greeter.proto.
package greeterpb
