// Command known registers nodes in the registry that its flags name, one after the
// other, and prints when. With KNOWN_WATCH it is the other process, which prints when it
// heard of each.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/registry"
)

const (
	nodes = 21
	apart = 250 * time.Millisecond
)

func main() {
	service := micro.NewService(micro.Name("known.program"))
	service.Init()
	run := write
	if os.Getenv("KNOWN_WATCH") != "" {
		run = watch
	}
	if err := run(service.Options().Registry); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(r registry.Registry) error {
	pace := time.NewTicker(apart)
	defer pace.Stop()
	for i := range nodes {
		id := fmt.Sprint("node-", i)
		began := time.Now()
		err := r.Register(&registry.Service{
			Name: "known", Version: "1", Nodes: []*registry.Node{{Id: id, Address: "127.0.0.1:1"}},
		}, registry.RegisterTTL(time.Minute))
		if err != nil {
			return err
		}
		fmt.Println("registers", id, began.UnixNano())
		<-pace.C
	}
	fmt.Println("done")
	return nil
}

func watch(r registry.Registry) error {
	w, err := r.Watch(registry.WatchService("known"))
	if err != nil {
		return err
	}
	defer w.Stop()
	fmt.Println("watching")
	for {
		event, err := w.Next()
		if err != nil {
			return err
		}
		heard := time.Now().UnixNano()
		for _, n := range event.Service.Nodes {
			fmt.Println("hears", n.Id, heard)
		}
	}
}
