package embedded

import (
	"net"

	"go.etcd.io/etcd/server/v3/embed"
)

// Exposed says who may change the data without being asked for a certificate or a
// password, one sentence for each open door, none if there is no such door.
// Whether users are turned on is looked up now. An etcd on loopback is not open:
// who reaches it is on this machine.
func (s *Server) Exposed() []string {
	var doors []string
	cfg := s.etcd.Config()
	if open(cfg.ListenClientUrls[0].Hostname()) && !cfg.ClientTLSInfo.ClientCertAuth && !s.etcd.Server.AuthStore().IsAuthEnabled() {
		doors = append(doors, "whoever reaches "+s.addr+" can change what is registered: "+
			"demand certificates of clients, turn users on with `etcdctl auth enable`, or listen on a loopback address")
	}
	if peers := peerDoor(&cfg); peers != "" {
		doors = append(doors, "whoever reaches the peer address "+peers+" can change everything: "+
			"give certificates for TLS between members, or keep that address on a network of its own")
	}
	return doors
}

// peerDoor returns the address on which any other program is taken for a member,
// "" if there is none.
func peerDoor(cfg *embed.Config) string {
	for _, u := range cfg.ListenPeerUrls {
		if u.Scheme == "http" && open(u.Hostname()) {
			return u.Host
		}
	}
	return ""
}

// open reports whether a listener on host can be reached from other machines.
func open(host string) bool {
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}
