// Package names has services whose names could get into the way of generated code. It is for tests.
package names
