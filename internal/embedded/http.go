package embedded

import (
	"context"
	"net"
	"os"

	"go.etcd.io/etcd/server/v3/embed"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A browser runs the programs of strangers on this machine, and lets them send
// requests to any address. Three things keep them out of the etcd: answers carry
// no CORS headers, so that a page cannot read them; requests for a foreign host
// name are refused, so that a page cannot pose as ours by its own name server; and
// requests that say which page they come from are not carried out.

// nobody is the only origin that etcd lets read its answers. No page has it; an
// empty list would allow all.
const nobody = "none"

// guardHTTP makes HTTP usable by programs only. It is called when the addresses in
// ec are final.
func guardHTTP(ec *embed.Config) {
	ec.CORS = map[string]struct{}{nobody: {}}
	ec.HostWhitelist = make(map[string]struct{})
	for _, host := range ownHosts(ec) {
		ec.HostWhitelist[host] = struct{}{}
		if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
			ec.HostWhitelist["["+host+"]"] = struct{}{} // as it is written without a port
		}
	}
}

// ownHosts returns the hosts under which this etcd may be asked over HTTP. The
// empty one stands for a request that names none, which no browser sends.
func ownHosts(ec *embed.Config) []string {
	hosts := []string{"", "localhost", "127.0.0.1", "::1"}
	for _, u := range ec.AdvertiseClientUrls {
		hosts = append(hosts, u.Hostname())
	}
	for _, u := range ec.ListenClientUrls {
		if !net.ParseIP(u.Hostname()).IsUnspecified() {
			hosts = append(hosts, u.Hostname())
			continue
		}
		// It listens on all addresses of the machine.
		if name, err := os.Hostname(); err == nil {
			hosts = append(hosts, name)
		}
		addrs, err := net.InterfaceAddrs()
		if err != nil {
			continue // those above are left
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				hosts = append(hosts, n.IP.String())
			}
		}
	}
	return hosts
}

// pageHeaders are how etcd's gateway from HTTP to gRPC passes on the headers by
// which a browser says from which page a request comes. Programs do not send them.
var pageHeaders = []string{"grpcgateway-origin", "grpcgateway-referer"}

// refusePages returns an error for a request that comes from a page in a browser.
func refusePages(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	for _, header := range pageHeaders {
		if page := md.Get(header); len(page) > 0 {
			return status.Errorf(codes.PermissionDenied, "refuse the request of a page at %.100q: this etcd answers programs only", page[0])
		}
	}
	return nil
}

// programsOnly returns the options of a gRPC server that refuses pages.
func programsOnly() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if err := refusePages(ctx); err != nil {
				return nil, err
			}
			return handle(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			if err := refusePages(stream.Context()); err != nil {
				return err
			}
			return handle(srv, stream)
		}),
	}
}
