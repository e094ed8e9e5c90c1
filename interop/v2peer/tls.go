package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/micro/go-micro/v2/client"
	grpcclient "github.com/micro/go-micro/v2/client/grpc"
	"github.com/micro/go-micro/v2/server"
	grpcserver "github.com/micro/go-micro/v2/server/grpc"
)

// tlsFiles are the files with which calls are secured; empty ones are not used.
type tlsFiles struct{ ca, cert, key, how string }

func (f tlsFiles) client() []client.Option {
	if f.ca == "" {
		return nil
	}
	pool, text := x509.NewCertPool(), must(os.ReadFile(f.ca))
	pool.AppendCertsFromPEM(text)
	return []client.Option{grpcclient.AuthTLS(&tls.Config{RootCAs: pool})}
}

func (f tlsFiles) server() []server.Option {
	if f.cert == "" {
		return nil
	}
	config := &tls.Config{Certificates: []tls.Certificate{must(tls.LoadX509KeyPair(f.cert, f.key))}}
	if f.how == "config" {
		return []server.Option{server.TLSConfig(config)}
	}
	return []server.Option{grpcserver.AuthTLS(config)}
}

// must ends the program if there is an error: the test sees what it says.
func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return v
}
