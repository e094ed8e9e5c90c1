// Command plain calls the greeter of examples/proto by its name with nothing but gRPC: the
// client is what protoc-gen-go-grpc writes, and the resolver tells it the nodes that are in the
// registry, as they come and go.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rollcall-go/micro/examples/proto/greeterpb"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/resolver"
)

func main() {
	address := flag.String("etcd", "127.0.0.1:2379", "address of the etcd in which services register")
	flag.Parse()
	if err := greet(*address); err != nil {
		log.Fatal(err)
	}
}

func greet(address string) error {
	services := etcd.NewRegistry(registry.Addrs(address))
	conn, err := grpc.NewClient(resolver.Scheme+":///greeter",
		grpc.WithResolvers(resolver.NewBuilder(services)),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	reply, err := greeterpb.NewGreeterClient(conn).Hello(ctx, &greeterpb.HelloRequest{Name: "John"})
	if err != nil {
		return err
	}
	fmt.Println(reply.Greeting)
	return nil
}
