package cmd

// platformPart is what was around v2: programs that ran services and stood between them.
func platformPart() part {
	return part{unserved: []unserved{
		// Its flag is too common a name to be accepted without a word.
		{"", "MICRO_CONFIG", "service", "there is no configuration service in this release; config/source/etcd reads etcd itself"},
		{"runtime", "MICRO_RUNTIME", "", "there is no runtime in this release"},
		{"runtime_source", "MICRO_RUNTIME_SOURCE", "", "there is no runtime in this release"},
		{"", "MICRO_PROXY", "", "calls go to the services themselves"},
		{"", "MICRO_NETWORK", "", "calls go to the services themselves"},
		{"", "MICRO_NETWORK_ADDRESS", "", "calls go to the services themselves"},
		{"", "MICRO_ROUTER", "", "calls go to the services themselves"},
		{"", "MICRO_ROUTER_ADDRESS", "", "calls go to the services themselves"},
		{"", "MICRO_PLUGIN", "", "there are no plugins; import the package instead"},
	}}
}
