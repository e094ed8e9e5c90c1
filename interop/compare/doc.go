// Package compare holds the public types of this module against those of go-micro
// v2.9.1, and accounts for each of v2's exported identifiers: it is equal here, or
// it differs for a stated reason, or it is missing and something that is named
// will bring it. REPORT.md is the account; `go test ./compare -update` writes it
// anew.
//
// The two modules are loaded one after the other from the export data of the
// compiler, so that no program links both.
package compare
