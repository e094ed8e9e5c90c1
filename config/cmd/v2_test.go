package cmd

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// v2Flags are the flags of go-micro v2.9.1; the variable of each is its name in capitals
// behind MICRO_, but for that of profile.
const v2Flags = `client client_request_timeout client_retries client_pool_size client_pool_ttl register_ttl register_interval
	server server_name server_version server_id server_address server_advertise server_metadata broker broker_address profile
	registry registry_address runtime runtime_source selector store store_address store_database store_table transport transport_address
	tracer tracer_address auth auth_id auth_secret auth_public_key auth_private_key auth_provider auth_provider_client_id
	auth_provider_client_secret auth_provider_endpoint auth_provider_redirect auth_provider_scope auth_namespace`

// v2Variables are those that v2 reads without a flag, or whose flag is left to programs.
// MICRO_LOG_LEVEL is the logger's.
const v2Variables = "MICRO_PLUGIN MICRO_PROXY MICRO_NETWORK MICRO_NETWORK_ADDRESS MICRO_ROUTER MICRO_ROUTER_ADDRESS MICRO_CONFIG"

// TestEverySettingOfV2IsObeyedOrTold goes through v2's whole table.
func TestEverySettingOfV2IsObeyedOrTold(t *testing.T) {
	for _, name := range strings.Fields(v2Flags) {
		variable := "MICRO_" + strings.ToUpper(name)
		if name == "profile" {
			variable = "MICRO_DEBUG_PROFILE"
		}
		obeyed := slices.ContainsFunc(DefaultFlags, func(f cli.Flag) bool {
			d, ok := f.(cli.DocGenerationFlag)
			return ok && slices.Contains(f.Names(), name) && slices.Contains(d.GetEnvVars(), variable)
		})
		told := slices.ContainsFunc(allUnserved(), func(u unserved) bool { return u.flag == name && u.variable == variable && u.why != "" })
		if obeyed == told {
			t.Errorf("--%s (%s) is obeyed: %v, told to have no effect: %v; want one of them", name, variable, obeyed, told)
		}
	}
	for _, variable := range strings.Fields(v2Variables) {
		if !slices.ContainsFunc(allUnserved(), func(u unserved) bool { return u.variable == variable && u.why != "" }) {
			t.Errorf("%s is not told to have no effect", variable)
		}
	}
}

// TestUnknownNamesSayWhatCanBeChosen gives each flag that names a part a name that nothing has.
func TestUnknownNamesSayWhatCanBeChosen(t *testing.T) {
	for _, name := range []string{"registry", "server", "client", "broker", "store", "auth", "auth_provider", "transport", "selector", "tracer", "profile"} {
		p := newProgram()
		if err := p.run(t, "--"+name+"=zzz"); err == nil || !slices.Equal(p.exited, []int{2}) ||
			!strings.Contains(p.stderr, "--"+name+`="zzz": `) || !strings.Contains(p.stderr, "choose one of: ") {
			t.Errorf("--%s: Init: %v, exited with %v, wrote %q", name, err, p.exited, p.stderr)
		}
	}
}
