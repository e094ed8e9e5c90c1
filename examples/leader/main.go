// Command leader runs in several processes, of which one at a time leads. Start it with
// --registry=etcd, twice, and end the one that leads.
package main

import (
	"context"
	"log"
	"os/signal"
	"syscall"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/sync"
	"github.com/rollcall-go/micro/sync/etcd"
)

// ttl is how long nobody leads when the leader dies.
const ttl = 3 * time.Second

// report is what one process at a time is to do. Whoever keeps the report refuses a token
// that is lower than the last one that it saw: this process may have been stopped since it
// looked whether it leads.
func report(token int64) { log.Printf("report with token %d", token) }

// lead reports until another process leads, or ctx ends.
func lead(ctx context.Context, held sync.Held) {
	log.Printf("leads with token %d", held.Token())
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		if err := held.Err(); err != nil {
			log.Printf("leads no more: %v", err)
			return
		}
		report(held.Token())
		select {
		case <-every.C:
		case <-held.Lost():
		case <-ctx.Done():
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), ttl)
			defer cancel()
			if err := held.Release(ending); err != nil {
				log.Print(err) // the next one leads when the TTL is over
			}
			return
		}
	}
}

func main() {
	service := micro.NewService(micro.Name("reporter"))
	service.Init() // reads --registry=etcd

	locks, ok := etcd.NewSync(etcd.Registry(service.Options().Registry)).(sync.Fencing)
	if !ok {
		log.Fatal("locks without tokens")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	for ctx.Err() == nil {
		held, err := locks.Acquire(ctx, "reporter", sync.LockTTL(ttl))
		if err != nil {
			if ctx.Err() == nil {
				log.Fatal(err) // whoever runs it starts it again
			}
			return
		}
		lead(ctx, held)
	}
}
