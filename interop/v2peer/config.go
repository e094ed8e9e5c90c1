package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/micro/go-micro/v2/config"
	"github.com/micro/go-micro/v2/config/encoder"
	jsonenc "github.com/micro/go-micro/v2/config/encoder/json"
	"github.com/micro/go-micro/v2/config/encoder/toml"
	"github.com/micro/go-micro/v2/config/encoder/yaml"
	"github.com/micro/go-micro/v2/config/source"
	"github.com/micro/go-micro/v2/config/source/etcd"
	"github.com/micro/go-micro/v2/config/source/file"
	"github.com/micro/go-micro/v2/config/source/memory"

	"github.com/rollcall-go/micro/interop/peer"
)

// configure loads what it is told and returns how the values read.
func (p *program) configure(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Config
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	conf, err := config.NewConfig()
	if err != nil {
		return nil, err
	}
	defer conf.Close()
	for _, text := range c.JSON {
		if err := conf.Load(memory.NewSource(memory.WithJSON([]byte(text)))); err != nil {
			return nil, err
		}
	}
	for _, path := range c.Files {
		if err := conf.Load(file.NewSource(file.WithPath(path))); err != nil {
			return nil, err
		}
	}
	if c.Prefix != "" {
		var e encoder.Encoder = jsonenc.NewEncoder()
		switch c.Encoder {
		case "yaml":
			e = yaml.NewEncoder()
		case "toml":
			e = toml.NewEncoder()
		}
		if err := conf.Load(etcd.NewSource(etcd.WithAddress(p.registry.Options().Addrs...), etcd.WithPrefix(c.Prefix),
			etcd.StripPrefix(c.Strip), source.WithEncoder(e))); err != nil {
			return nil, err
		}
	}
	values := []peer.Value{}
	for _, path := range c.Paths {
		v := conf.Get(path...)
		values = append(values, peer.Value{
			Bool: v.Bool(true), Int: v.Int(-1), String: v.String("def"), Float: v.Float64(-1.5), Duration: v.Duration(time.Hour),
			Slice: v.StringSlice([]string{"def"}), Map: v.StringMap(map[string]string{"d": "ef"}), Bytes: string(v.Bytes()),
		})
	}
	return values, nil
}
