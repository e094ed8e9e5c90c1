//go:build keep

// Package genproto keeps the requirement of google.golang.org/genproto in go.mod.
//
// Nothing of the house needs that module. But libraries of go-micro's days ask for
// it as of 2019, when it still held googleapis/rpc, which is a module of its own
// today; a program with one of them in its graph then finds the package in two
// modules and does not build. As long as we ask for a version after the split, it
// builds. No build has the tag; `go mod tidy` looks at the file all the same.
package genproto

import _ "google.golang.org/genproto/googleapis/type/date"
