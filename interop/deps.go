//go:build ourpeer

package interop

// What the tests compile against this module is v2peer with other import paths.
// These imports keep in go.mod what it needs.
import (
	_ "github.com/golang/protobuf/proto"
	_ "google.golang.org/grpc/status"
	_ "google.golang.org/protobuf/proto"

	_ "github.com/rollcall-go/micro"
	_ "github.com/rollcall-go/micro/config/source/etcd"
	_ "github.com/rollcall-go/micro/registry/consul"
	_ "github.com/rollcall-go/micro/registry/etcd"
	_ "github.com/rollcall-go/micro/registry/mdns"
)
