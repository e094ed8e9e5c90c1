package testkit

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// ManagementToken may do everything in a Consul with ConsulACL.
const ManagementToken = "3fb6cc90-7d2c-4e0d-9ec2-6d8a8a4b2d10"

// settings is a part of Consul's configuration file.
type settings = map[string]any

// arguments writes the configuration file and returns the command line.
func (c *Consul) arguments() ([]string, error) {
	ports := settings{"grpc": -1, "dns": -1, "serf_wan": -1, "http": -1, "https": -1}
	client := "http"
	if c.ca != nil {
		client = "https"
	}
	for name, addr := range map[string]string{client: c.addr, "serf_lan": c.serf, "server": c.rpc} {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if ports[name], err = strconv.Atoi(port); err != nil {
			return nil, err
		}
	}
	all := settings{
		"node_name": c.node, "datacenter": c.datacenter, "ports": ports,
		"bind_addr": "127.0.0.1", "client_addr": "127.0.0.1",
		"log_level": "warn", "disable_update_check": true, "disable_host_node_id": true, "leave_on_terminate": false,
		"connect": settings{"enabled": false}, "ui_config": settings{"enabled": false},
	}
	if c.acl {
		all["acl"] = settings{
			"enabled": true, "default_policy": "deny", "down_policy": "deny",
			"tokens": settings{"initial_management": ManagementToken, "agent": ManagementToken},
		}
	}
	if c.ca != nil {
		all["ca_file"], all["cert_file"], all["key_file"] = c.ca.File, c.cert.CertFile, c.cert.KeyFile
		all["verify_incoming_https"] = c.clientCerts
	}
	if c.onDisk && !c.client {
		all["server"], all["bootstrap_expect"] = true, max(1, len(c.cluster))
		all["performance"] = settings{"raft_multiplier": 1}
	}
	if c.cluster != nil {
		all["retry_join"], all["retry_interval"] = c.cluster, "100ms"
		all["gossip_lan"] = settings{"gossip_interval": "100ms", "probe_interval": "200ms", "probe_timeout": "100ms"}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(filepath.Dir(c.dir), fmt.Sprintf("%s.json", c.node))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	if c.onDisk || c.client {
		return []string{"agent", "-config-file", file, "-data-dir", c.dir}, nil
	}
	return []string{"agent", "-dev", "-config-file", file}, nil
}
