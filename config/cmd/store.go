package cmd

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/store"
	"github.com/rollcall-go/micro/store/etcd"
)

// DefaultStores are the stores that can be chosen by name. A program may add its own before
// Init.
var DefaultStores = builtin.Map(builtin.Stores())

// Store says where the store is.
func Store(s *store.Store) Option { return func(o *Options) { o.Store = s } }

func storePart() part {
	return part{flags: []cli.Flag{
		&cli.StringFlag{
			Name: "store", EnvVars: []string{"MICRO_STORE"}, DefaultText: "the program's own, or memory", Category: "Store",
			Usage: "store to keep records in: " + builtin.Choices(builtin.Stores()),
		},
		&cli.StringFlag{
			Name: "store_address", EnvVars: []string{"MICRO_STORE_ADDRESS"}, DefaultText: "that of the registry in etcd, or 127.0.0.1:2379", Category: "Store",
			Usage: "addresses of the store, with commas between",
		},
		&cli.StringFlag{
			Name: "store_database", EnvVars: []string{"MICRO_STORE_DATABASE"}, DefaultText: "the program's own, or micro", Category: "Store",
			Usage: "database of records that are of no other",
		},
		&cli.StringFlag{
			Name: "store_table", EnvVars: []string{"MICRO_STORE_TABLE"}, DefaultText: "the program's own, or the name of the service", Category: "Store",
			Usage: "table of records that are of no other",
		},
	}}
}

// applyStore puts the store in place that was named, and sets it up as given. It comes
// behind registry and server: a store may use the connection of the one, and is named after
// the other.
func applyStore(in *input, to Options) error {
	at := to.Store
	if at == nil {
		at = &store.DefaultStore
	}
	constructors := merged(DefaultStores, to.Stores)
	name := choice(in, "store", nameOf(at), builtin.Stores(), constructors)
	address, addressed := in.text("store_address")
	var opts []store.Option
	if addressed {
		opts = append(opts, store.Nodes(separated(address)...))
	}
	if d, ok := in.text("store_database"); ok {
		opts = append(opts, store.Database(d))
	}
	table, tabled := in.text("store_table")
	if tabled {
		opts = append(opts, store.Table(table))
	}
	if in.err != nil {
		return in.err
	}
	if name != "" && name != nameOf(at) {
		if !tabled && to.Server != nil {
			opts = append(opts, store.Table((*to.Server).Options().Name))
		}
		if r := *registryInPlace(to); name == "etcd" && !addressed && ability.Named(r, "etcd") {
			opts = append(opts, etcd.Registry(r))
		}
		*at = constructors[name](opts...)
		opts = nil // they are in it, and Init says what is wrong with them
	} else if len(opts) == 0 {
		return nil
	}
	if addressed && nameOf(at) == "memory" {
		tellOnce(in.source("store_address"), "the store is in the memory of this process; choose another, as with --store=etcd")
	}
	if err := (*at).Init(opts...); err != nil {
		if addressed {
			in.fail("store_address", address, "%v", err)
			return in.err
		}
		return fmt.Errorf("set up the store: %w", err)
	}
	return nil
}
