// Command micro is the tool of go-micro v2, its command, API gateway and web page, as
// release v2.9.3 has them. The tests of the module above run it against services of ours.
package main

import "github.com/micro/micro/v2/cmd"

func main() { cmd.Init() }
