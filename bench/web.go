package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	microclient "github.com/rollcall-go/micro/client"
	microhttp "github.com/rollcall-go/micro/client/http"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	microweb "github.com/rollcall-go/micro/web"
)

// Requests over HTTP: a web service beside net/http alone, and net/http's client that finds
// it by name beside one that has the address.

// web measures requests over HTTP.
func web(r *run) error {
	etcd, err := r.needEtcd()
	if err != nil {
		return err
	}
	defer etcd.Close()
	base, err := r.launch("nethttp", 1, 1)
	if err != nil {
		return err
	}
	fmt.Println("| peer | body | at a time | rate | CPU | CPU server | allocations client | server | net/http requests/s | us |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|")
	for _, name := range []string{"web", "web-by-name"} {
		peer, err := r.launch(name, 1, 1)
		if err != nil {
			return err
		}
		for _, size := range few(r, 1, 64, 4<<10) {
			for _, conc := range few(r, 1, 8, 64) {
				pairs, err := r.compare(base, peer, cell{Size: size, Conc: conc})
				if err != nil {
					return err
				}
				rates, us := make([]float64, len(pairs)), make([]float64, len(pairs))
				for i, p := range pairs {
					rates[i], us[i] = p.base.rate(), p.base.cpu()/1000
				}
				fmt.Printf("| %s | %d | %d | %.2f | %.2f | %.2f | %+.1f | %+.1f | %.0f | %.1f |\n", name, size, conc,
					ratio(pairs, done.rate), ratio(pairs, done.cpu),
					ratio(pairs, func(d done) float64 { return float64(d.Servers.CPU) / float64(d.Number) }),
					more(pairs, func(d done) uint64 { return d.Used.Mallocs }),
					more(pairs, func(d done) uint64 { return d.Servers.Mallocs }), median(rates), median(us))
			}
		}
		peer.stop()
	}
	return nil
}

// repeat answers with the body that it gets.
func repeat(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = w.Write(body) // who has gone needs no answer
}

func serveHTTP(context.Context, setup) ([]string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", repeat)
	go http.Serve(l, mux) // to the end of the process
	return []string{l.Addr().String()}, nil
}

func serveWeb(ctx context.Context, s setup) ([]string, error) {
	service := microweb.NewService(microweb.Name(s.Service), microweb.Address("127.0.0.1:0"), microweb.Context(ctx),
		microweb.HandleSignal(false), microweb.Registry(etcd.NewRegistry(registry.Addrs(s.Etcd))))
	service.HandleFunc("/", repeat)
	if err := service.(interface{ Start() error }).Start(); err != nil {
		return nil, err
	}
	return []string{service.Options().Address}, nil
}

// webClient makes requests to one service.
type webClient struct {
	client http.Client
	url    string
}

func dialHTTP(_ context.Context, s setup) (client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = t.MaxIdleConns // as many as the RoundTripper keeps
	return &webClient{http.Client{Transport: t}, "http://" + s.Addresses[0] + "/"}, nil
}

func dialByName(_ context.Context, s setup) (client, error) {
	rt := microhttp.NewRoundTripper(microclient.Registry(etcd.NewRegistry(registry.Addrs(s.Etcd))))
	return &webClient{http.Client{Transport: rt}, "http://" + s.Service + "/"}, nil
}

func (c *webClient) call(ctx context.Context, _ int, text string) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(text))
	if err != nil {
		return err
	}
	rsp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer rsp.Body.Close()
	body, err := io.ReadAll(rsp.Body)
	if err == nil && string(body) != text {
		err = fmt.Errorf("asked %.20q, answered %d %.20q", text, rsp.StatusCode, body)
	}
	return err
}

func (c *webClient) stream(context.Context) (stream, error) {
	return nil, errors.New("open a stream: requests over HTTP have none here")
}
