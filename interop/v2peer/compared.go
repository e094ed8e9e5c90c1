//go:build compared

package main

// Packages of v2 that no peer runs and the comparison of types loads: what they require
// stays in go.mod.
import (
	_ "github.com/micro/go-micro/v2/api/handler/rpc"
)
