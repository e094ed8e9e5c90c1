// Package client has the name of a package that generated code imports. It is for tests.
package client
