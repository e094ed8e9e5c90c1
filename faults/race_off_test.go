//go:build !race

package faults

// raced is true under the race detector, where times of a processor mean little.
const raced = false
