package cmd

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/internal/callflags"
	"github.com/rollcall-go/micro/internal/registryflags"
)

// DefaultFlags are the flags of every service. Each has a variable of the same
// name in capitals behind MICRO_. Each command line works on a copy of its own.
var DefaultFlags = slices.Concat([]cli.Flag{
	&cli.StringFlag{
		Name: "registry", EnvVars: []string{"MICRO_REGISTRY"}, DefaultText: "the program's own, or mdns", Category: "Registry",
		Usage: "registry to register and look up services in, or several as one with commas between: " + builtin.Choices(builtin.Registries()),
	},
}, registryflags.Flags(), []cli.Flag{
	&cli.StringFlag{
		Name: "registry_snapshot", EnvVars: []string{"MICRO_REGISTRY_SNAPSHOT"}, DefaultText: "none", Category: "Registry",
		Usage: "directory to keep known services in, for a start while the registry is away",
	},
	&cli.StringFlag{
		Name: "server", EnvVars: []string{"MICRO_SERVER"}, DefaultText: "grpc", Category: "Server",
		Usage: "server to serve requests with: " + builtin.Choices(builtin.Servers()),
	},
	&cli.StringFlag{
		Name: "server_name", EnvVars: []string{"MICRO_SERVER_NAME"}, DefaultText: "the program's own", Category: "Server",
		Usage: "name that the service registers under",
	},
	&cli.StringFlag{
		Name: "server_version", EnvVars: []string{"MICRO_SERVER_VERSION"}, DefaultText: "the program's own, or latest", Category: "Server",
		Usage: "version that the service registers with",
	},
	&cli.StringFlag{
		Name: "server_id", EnvVars: []string{"MICRO_SERVER_ID"}, DefaultText: "a new one in each process", Category: "Server",
		Usage: "id of this instance; its node is NAME-ID",
	},
	&cli.StringFlag{
		Name: "server_address", EnvVars: []string{"MICRO_SERVER_ADDRESS"}, DefaultText: "every interface, a free port", Category: "Server",
		Usage: "address to listen on, host:port",
	},
	&cli.StringFlag{
		Name: "server_advertise", EnvVars: []string{"MICRO_SERVER_ADVERTISE"}, DefaultText: "the address listened on, or POD_IP", Category: "Server",
		Usage: "address or host name to register in place of the one listened on, host:port",
	},
	&cli.StringFlag{
		Name: "server_advertise_interface", EnvVars: []string{"MICRO_SERVER_ADVERTISE_INTERFACE"}, DefaultText: "any", Category: "Server",
		Usage: "network interface whose address to register, such as eth0",
	},
	&cli.StringFlag{
		Name: "server_advertise_cidr", EnvVars: []string{"MICRO_SERVER_ADVERTISE_CIDR"}, DefaultText: "any", Category: "Server",
		Usage: "network whose address to register, such as 10.0.0.0/8",
	},
	&cli.StringSliceFlag{
		Name: "server_metadata", EnvVars: []string{"MICRO_SERVER_METADATA"}, Category: "Server",
		Usage: "metadata of the node, key=value; may be given more than once",
	},
	&cli.StringFlag{
		Name: "server_concurrency_limit", EnvVars: []string{"MICRO_SERVER_CONCURRENCY_LIMIT"}, DefaultText: "none", Category: "Server",
		Usage: "calls served at a time, beyond which they are turned away; adaptive finds the number",
	},
	&cli.StringFlag{
		Name: "register_ttl", EnvVars: []string{"MICRO_REGISTER_TTL"}, DefaultText: "15", Category: "Server",
		Usage: "seconds that a registration outlives its last renewal",
	},
	&cli.StringFlag{
		Name: "register_interval", EnvVars: []string{"MICRO_REGISTER_INTERVAL"}, DefaultText: "30", Category: "Server",
		Usage: "seconds between two checks that the registration still stands",
	},
}, callflags.ServerFlags(), []cli.Flag{
	&cli.StringFlag{
		Name: "client", EnvVars: []string{"MICRO_CLIENT"}, DefaultText: "grpc", Category: "Client",
		Usage: "client to call services with: " + builtin.Choices(builtin.Clients()),
	},
	&cli.StringFlag{
		Name: "client_request_timeout", EnvVars: []string{"MICRO_CLIENT_REQUEST_TIMEOUT"}, DefaultText: "5s", Category: "Client",
		Usage: "bound of a call whose context has no deadline, such as 500ms or 5s",
	},
	&cli.StringFlag{
		Name: "client_retries", EnvVars: []string{"MICRO_CLIENT_RETRIES"}, DefaultText: "1", Category: "Client",
		Usage: "times that a failed call may be tried again",
	},
	&cli.StringFlag{
		Name: "client_retry_budget", EnvVars: []string{"MICRO_CLIENT_RETRY_BUDGET"}, DefaultText: "20", Category: "Client",
		Usage: "percent of the calls to a service that may reach it twice; off for no bound",
	},
	&cli.StringFlag{
		Name: "client_pool_size", EnvVars: []string{"MICRO_CLIENT_POOL_SIZE"}, DefaultText: "4", Category: "Client",
		Usage: "connections to one node at most, where its server limits the calls on each",
	},
	&cli.StringFlag{
		Name: "client_pool_ttl", EnvVars: []string{"MICRO_CLIENT_POOL_TTL"}, Category: "Client",
		Usage: "accepted for clients that replace connections by age; grpc does not",
	},
}, balanceFlags(), callflags.ClientFlags(), partFlags(false))
