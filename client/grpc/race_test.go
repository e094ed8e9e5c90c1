//go:build race

package grpc

// mixedCalls is how many calls each worker of TestMixed makes.
const mixedCalls = 300
