// Command v2peer is a program written for go-micro v2 that does what its standard
// input tells it: it serves, calls, and lists, gets and watches services in etcd,
// in Consul or by multicast DNS.
// The tests of the module above also compile it against Rollcall, with nothing
// changed but its import paths.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/micro/go-micro/v2"
	grpcclient "github.com/micro/go-micro/v2/client/grpc"
	"github.com/micro/go-micro/v2/registry"
	"github.com/micro/go-micro/v2/registry/cache"
	"github.com/micro/go-micro/v2/registry/etcd"
	"github.com/micro/go-micro/v2/registry/mdns"
	grpcserver "github.com/micro/go-micro/v2/server/grpc"
	"github.com/micro/go-micro/v2/sync"
	"github.com/micro/go-plugins/registry/consul/v2"

	"github.com/rollcall-go/micro/interop/peer"
)

func main() {
	address := flag.String("registry", "127.0.0.1:2379", "address of the etcd, consul=ADDRESS, or mdns")
	name := flag.String("name", "interop.caller", "name under which to call")
	ttl := flag.Duration("cache_ttl", cache.DefaultTTL, "how long the cache believes what it read")
	var files tlsFiles
	flag.StringVar(&files.ca, "tls_ca", "", "file of the authority to trust in calls, which are then by TLS")
	flag.StringVar(&files.cert, "tls_cert", "", "file of the certificate to serve with")
	flag.StringVar(&files.key, "tls_key", "", "file of its key")
	flag.StringVar(&files.how, "tls_how", "auth", "how to serve by TLS: auth or config")
	flag.Parse()

	// The framework logs to standard output, which is for replies.
	replies := os.Stdout
	os.Stdout = os.Stderr

	reg := open(*address)
	p := &program{
		registry: reg,
		cache:    cache.New(reg, cache.WithTTL(*ttl)),
		caller: micro.NewService(
			micro.Server(grpcserver.NewServer()),
			micro.Client(grpcclient.NewClient(files.client()...)),
			micro.Name(*name),
			micro.Registry(reg),
		).Client(),
		secured: files.server(),
		running: make(map[string]*service),
		locks:   make(map[string]sync.Sync),
	}
	err := peer.Serve(os.Stdin, replies, map[string]peer.Op{
		peer.OpStart:      p.start,
		peer.OpStop:       p.stop,
		peer.OpCall:       p.call,
		peer.OpCount:      p.count,
		peer.OpTalk:       p.talk,
		peer.OpSpeak:      p.speak,
		peer.OpList:       p.list,
		peer.OpGet:        p.get,
		peer.OpCached:     p.cached,
		peer.OpWatch:      p.watch,
		peer.OpRegister:   p.register,
		peer.OpDeregister: p.deregister,
		peer.OpInit:       p.init,
		peer.OpConfig:     p.configure,
		peer.OpPublish:    p.publish,
		peer.OpSubscribe:  p.subscribe,
		peer.OpAsk:        p.ask,
		peer.OpSign:       sign,
		peer.OpJudge:      judge,
		peer.OpCode:       p.code,
		peer.OpEcho:       p.echo,
		peer.OpCarry:      p.carry,
		peer.OpLock:       p.lock,
		peer.OpUnlock:     p.unlock,
	})
	p.stopAll()
	if e := p.stopEvents(); err == nil {
		err = e
	}
	p.cache.Stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// open opens the registry at an address.
func open(address string) registry.Registry {
	if at, ok := strings.CutPrefix(address, "consul="); ok {
		return consul.NewRegistry(registry.Addrs(at))
	}
	if address == "mdns" {
		return mdns.NewRegistry()
	}
	return etcd.NewRegistry(registry.Addrs(address))
}
