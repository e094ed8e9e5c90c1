// Command etcd-3.3 is the etcd of go-micro v2's time, 3.3.11, made from its own
// source, for the tests that run once for each etcd. It takes etcd's flags.
package main

import "github.com/coreos/etcd/etcdmain"

func main() { etcdmain.Main() }
