// Command plain calls the demo service with grpc-go alone, at the address in its
// argument.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rollcall-go/micro/internal/testkit/legacypb"
)

func main() {
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	rsp := new(legacypb.HelloReply)
	if err := conn.Invoke(ctx, "/rollcall.test.legacy.Greeter/Hello", &legacypb.HelloRequest{Name: "gRPC"}, rsp); err != nil {
		log.Fatal(err)
	}
	fmt.Println(rsp.Greeting)
}
