package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/embedded"
)

// clusterFlags returns the flags of `micro server` that make it one member of
// several.
func clusterFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "name", EnvVars: []string{"MICRO_ETCD_NAME"}, Value: embedded.DefaultName,
			Usage: "`NAME` of this etcd in its list of members"},
		&cli.StringFlag{Name: "initial_cluster", EnvVars: []string{"MICRO_ETCD_INITIAL_CLUSTER"}, DefaultText: "this etcd alone",
			Usage: "all members and where they serve each other, as `NAME=URL,...`: a=http://10.0.0.1:2380,..."},
		&cli.StringFlag{Name: "initial_cluster_state", EnvVars: []string{"MICRO_ETCD_INITIAL_CLUSTER_STATE"}, Value: embedded.NewCluster,
			Usage: "`STATE` of the cluster that an empty member joins: new or existing"},
		&cli.StringFlag{Name: "initial_cluster_token", EnvVars: []string{"MICRO_ETCD_INITIAL_CLUSTER_TOKEN"}, DefaultText: "one for all clusters",
			Usage: "`TOKEN` of this cluster, the same for all its members"},
		&cli.StringFlag{Name: "peer_address", EnvVars: []string{"MICRO_ETCD_PEER_ADDRESS"}, DefaultText: "that of this member in the initial cluster, or none",
			Usage: "serve other members on `HOST:PORT`"},
		&cli.StringFlag{Name: "peer_advertise_address", EnvVars: []string{"MICRO_ETCD_PEER_ADVERTISE_ADDRESS"}, DefaultText: "the same as the peer address",
			Usage: "tell other members to connect to `HOST:PORT`, which is forwarded to the peer address"},
		&cli.StringFlag{Name: "peer_tls_cert", EnvVars: []string{"MICRO_ETCD_PEER_TLS_CERT"},
			Usage: "speak TLS with other members, with the certificate in `FILE`"},
		&cli.StringFlag{Name: "peer_tls_key", EnvVars: []string{"MICRO_ETCD_PEER_TLS_KEY"},
			Usage: "that certificate's private key is in `FILE`"},
		&cli.StringFlag{Name: "peer_tls_ca", EnvVars: []string{"MICRO_ETCD_PEER_TLS_CA"},
			Usage: "the authority in `FILE` has signed the certificates of all members"},
	}
}

// setCluster reads those flags into cfg.
func setCluster(c *cli.Context, cfg *embedded.Config) {
	cfg.Name = c.String("name")
	cfg.InitialCluster = c.String("initial_cluster")
	cfg.InitialClusterState = c.String("initial_cluster_state")
	cfg.InitialClusterToken = c.String("initial_cluster_token")
	cfg.PeerAddress = c.String("peer_address")
	cfg.PeerAdvertiseAddress = c.String("peer_advertise_address")
	cfg.PeerCertFile = c.String("peer_tls_cert")
	cfg.PeerKeyFile = c.String("peer_tls_key")
	cfg.PeerCAFile = c.String("peer_tls_ca")
	cfg.Waiting = func(unreachable []string) {
		what := "a leader, all other members can be reached"
		if len(unreachable) > 0 {
			what = strings.Join(unreachable, ", ")
		}
		stderr(c).note("micro: member %q waits for %s", cfg.Name, what)
	}
}
