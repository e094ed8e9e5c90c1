// Package peer drives a program over its standard input and output, one JSON
// object a line: commands go in, replies come out, each with the number of the
// command that it belongs to. [Serve] is the program's side and [Start] the
// driver's. The package uses the standard library alone, so that programs that
// cannot link each other's libraries can both link it.
package peer
