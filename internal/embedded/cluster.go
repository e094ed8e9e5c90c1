package embedded

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.uber.org/zap"
)

// Values of Config.InitialClusterState.
const (
	// NewCluster is the state of a cluster whose members all start empty.
	NewCluster = "new"
	// ExistingCluster is the state of a cluster that runs and that was told of
	// this member.
	ExistingCluster = "existing"
)

// defaultClusterToken stands for an empty Config.InitialClusterToken.
const defaultClusterToken = "rollcall"

// peer is one member of Config.InitialCluster.
type peer struct {
	name string
	url  url.URL // scheme, host and port alone
}

func (p peer) String() string { return p.name + " at " + p.url.String() }

// cluster is a parsed Config.InitialCluster. The zero value stands for none.
type cluster []peer

// parseCluster reads "name=url,name=url". Names and URLs are each used once.
func parseCluster(s string) (cluster, error) {
	if s == "" {
		return nil, nil
	}
	refuse := func(format string, args ...any) (cluster, error) {
		return nil, &ConfigError{"InitialCluster", s, fmt.Sprintf(format, args...)}
	}
	var all cluster
	for entry := range strings.SplitSeq(s, ",") {
		name, address, ok := strings.Cut(strings.TrimSpace(entry), "=")
		if !ok || name == "" {
			return refuse(`%q is no name=url, for example "a=http://10.0.0.1:2380"`, entry)
		}
		u, err := url.Parse(address)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.Port() == "" || u.Port() == "0" {
			return refuse(`%q of %q is no URL of a peer, for example "http://10.0.0.1:2380"`, address, name)
		}
		if strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return refuse("%q of %q has more than a scheme, a host and a port", address, name)
		}
		added := peer{name, url.URL{Scheme: u.Scheme, Host: u.Host}}
		for _, p := range all {
			if p.name == added.name {
				return refuse("%q is there twice, every member has a name of its own", name)
			}
			if p.url == added.url {
				return refuse("%q and %q are both at %s, every member has a URL of its own", p.name, name, address)
			}
			if p.url.Scheme != added.url.Scheme {
				return refuse("%q is at http:// and %q at https://, choose one for all", p.name, name)
			}
		}
		all = append(all, added)
	}
	return all, nil
}

// String returns what etcd reads as the initial cluster.
func (c cluster) String() string {
	entries := make([]string, len(c))
	for i, p := range c {
		entries[i] = p.name + "=" + p.url.String()
	}
	return strings.Join(entries, ",")
}

// names returns the names for a message.
func (c cluster) names() string {
	names := make([]string, len(c))
	for i, p := range c {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}

// member returns the member of that name.
func (c cluster) member(name string) (peer, bool) {
	i := slices.IndexFunc(c, func(p peer) bool { return p.name == name })
	if i < 0 {
		return peer{}, false
	}
	return c[i], true
}

// without returns all members but the one of that name.
func (c cluster) without(name string) cluster {
	return slices.DeleteFunc(slices.Clone(c), func(p peer) bool { return p.name == name })
}

// ids returns the ids that etcd gives to the cluster and to its member of that
// name when all start empty.
func (c cluster) ids(token, name string) (clusterID, memberID types.ID, err error) {
	urls, err := types.NewURLsMap(c.String())
	if err != nil {
		return 0, 0, err
	}
	m, err := membership.NewClusterFromURLsMap(zap.NewNop(), token, urls)
	if err != nil {
		return 0, 0, err
	}
	return m.ID(), m.MemberByName(name).ID, nil
}

// setPeers fills in how the member and others find each other.
func (c Config) setPeers(ec *embed.Config, all cluster) error {
	if err := c.setPeerTLS(ec, all); err != nil {
		return err
	}
	if len(all) == 0 {
		return c.setLonePeer(ec)
	}
	own, ok := all.member(c.Name)
	if !ok {
		return &ConfigError{"Name", c.Name, fmt.Sprintf("the initial cluster has no member of that name, choose one of %s", all.names())}
	}
	if c.PeerAdvertiseAddress != "" && c.PeerAdvertiseAddress != own.url.Host {
		return &ConfigError{"PeerAdvertiseAddress", c.PeerAdvertiseAddress,
			fmt.Sprintf("the initial cluster has %s, make both the same", own)}
	}
	listen, err := c.peerListener(own)
	if err != nil {
		return err
	}
	ec.ListenPeerUrls = []url.URL{{Scheme: own.url.Scheme, Host: listen}}
	ec.AdvertisePeerUrls = []url.URL{own.url}
	ec.InitialCluster = all.String()
	ec.InitialClusterToken = c.InitialClusterToken
	ec.ClusterState = c.InitialClusterState
	return nil
}

// peerListener returns where a member listens so that others reach it under the
// URL that the cluster has for it.
func (c Config) peerListener(own peer) (string, error) {
	host, port := own.url.Hostname(), own.url.Port()
	if c.PeerAddress == "" {
		if net.ParseIP(host) == nil {
			host = "" // a name, whose addresses others resolve
		}
		return parseAddress("PeerAddress", net.JoinHostPort(host, port))
	}
	listen, err := parseAddress("PeerAddress", c.PeerAddress)
	if err != nil || c.PeerAdvertiseAddress != "" {
		return listen, err
	}
	listenHost, listenPort, err := net.SplitHostPort(listen)
	if err != nil {
		return "", err
	}
	known := net.ParseIP(host)
	covers := known == nil || net.ParseIP(listenHost).IsUnspecified() || known.Equal(net.ParseIP(listenHost))
	if listenPort != port || !covers {
		return "", &ConfigError{"PeerAddress", c.PeerAddress, fmt.Sprintf(
			"the initial cluster has %s, which is elsewhere; listen there, or advertise %s if that is forwarded to here", own, own.url.Host)}
	}
	return listen, nil
}

// setLonePeer fills in the only member of a cluster, which others may be added
// to if it listens for them.
func (c Config) setLonePeer(ec *embed.Config) error {
	if c.InitialClusterState != NewCluster {
		return &ConfigError{"InitialClusterState", c.InitialClusterState, "give the initial cluster as well"}
	}
	nominal, err := url.Parse(nominalPeerURL)
	if err != nil {
		return err
	}
	ec.ListenPeerUrls, ec.AdvertisePeerUrls = nil, []url.URL{*nominal}
	if c.PeerAddress == "" {
		if c.PeerAdvertiseAddress != "" {
			return &ConfigError{"PeerAdvertiseAddress", c.PeerAdvertiseAddress, "give the address to serve other members on as well"}
		}
	} else {
		listen, err := parseAddress("PeerAddress", c.PeerAddress)
		if err != nil {
			return err
		}
		advertise := reachable(listen)
		if c.PeerAdvertiseAddress != "" {
			if advertise, err = parseAddress("PeerAdvertiseAddress", c.PeerAdvertiseAddress); err != nil {
				return err
			}
		}
		scheme := "http"
		if c.PeerCertFile != "" {
			scheme = "https"
		}
		ec.ListenPeerUrls = []url.URL{{Scheme: scheme, Host: listen}}
		ec.AdvertisePeerUrls = []url.URL{{Scheme: scheme, Host: advertise}}
	}
	ec.InitialCluster = ec.InitialClusterFromName(c.Name)
	return nil
}

// setPeerTLS fills in TLS between members, which is mutual.
func (c Config) setPeerTLS(ec *embed.Config, all cluster) error {
	files := []string{c.PeerCertFile, c.PeerKeyFile, c.PeerCAFile}
	given := slices.IndexFunc(files, func(f string) bool { return f != "" }) >= 0
	secure := len(all) > 0 && all[0].url.Scheme == "https"
	switch {
	case given && slices.Contains(files, ""):
		return &ConfigError{"PeerCertFile", c.PeerCertFile, "members need a certificate, its key and the authority of all their certificates, give all three or none"}
	case given && len(all) > 0 && !secure:
		return &ConfigError{"InitialCluster", c.InitialCluster, "members with certificates are at https://"}
	case secure && !given:
		return &ConfigError{"PeerCertFile", c.PeerCertFile, "members at https:// need a certificate, its key and the authority of all their certificates"}
	case given:
		ec.PeerTLSInfo.CertFile, ec.PeerTLSInfo.KeyFile = c.PeerCertFile, c.PeerKeyFile
		ec.PeerTLSInfo.TrustedCAFile, ec.PeerTLSInfo.ClientCertAuth = c.PeerCAFile, true
	}
	return nil
}
