// Package in has the name of a variable in generated code. It is for tests.
package in
