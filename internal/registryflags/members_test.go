package registryflags

import (
	"fmt"
	"strings"
	"testing"
)

// each reads what is in values for the registries of the names.
func each(values map[string]string, names ...string) ([]Settings, error) {
	return ReadEach(func(name string) string { return values[name] }, names)
}

func TestAddressesOfSeveralRegistries(t *testing.T) {
	for _, tt := range []struct{ names, list, want string }{
		{"consul,etcd", "consul=a:1,etcd=b:2,c:3", "[a:1] [b:2 c:3]"},
		{"consul,etcd", "etcd=b:2,c:3,consul=a:1", "[a:1] [b:2 c:3]"},
		{"consul,etcd", " consul=a:1 , etcd = b:2,", ""},
		{"consul,etcd", " consul= a:1 , Etcd=b:2 ,", "[a:1] [b:2]"},
		{"consul,etcd", "etcd=b:2", "[] [b:2]"},
		{"consul,etcd", "consul=https://a:1/x=y,etcd=http://[::1]:2", "[https://a:1/x=y] [http://[::1]:2]"},
		{"mdns,my-own", "my-own=unix:///s.sock", "[] [unix:///s.sock]"},
		{"etcd", "etcd=a:1,b:2", "[a:1 b:2]"},
		{"etcd", "a:1,b:2", "[a:1 b:2]"},
		{"etcd", "http://a:1/x=y", "[http://a:1/x=y]"},
		{"", "a:1,b:2", "[a:1 b:2]"},
	} {
		all, err := each(map[string]string{Address: tt.list}, strings.Split(tt.names, ",")...)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%s for %s: no error", tt.list, tt.names)
			}
			continue
		}
		var got []string
		for _, s := range all {
			got = append(got, fmt.Sprint(s.Addrs))
		}
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%s for %s: got %v, %v, want %s", tt.list, tt.names, got, err, tt.want)
		}
	}
}

func TestWrongValuesOfSeveralRegistries(t *testing.T) {
	for _, tt := range []struct{ names, flag, value, says string }{
		{"consul,etcd", Address, "a:1,etcd=b:2", "address 1 of 2 does not say of which registry it is; write consul=a:1"},
		{"consul,etcd", Address, "mdns=a:1", `"mdns" names a registry that is not chosen; --registry has: consul,etcd`},
		{"etcd", Address, "consul=a:1", `"consul" names a registry that is not chosen; --registry has: etcd`},
		{"", Address, "consul=a:1", "none is chosen: choose it with --registry=consul"},
		{"consul,etcd", Address, "etcd=a:1,consul=b:1,etcd=c:1", "etcd is there twice"},
		{"consul,etcd", Address, "etcd=", `nothing stands behind "etcd="`},
		{"consul,etcd", Address, "etcd=,b:1", `nothing stands behind "etcd="`},
		{"consul,etcd", Address, "etcd=a:1,,b:1", "address 2 of 3 is empty"},
		{"consul,etcd", Address, "hunter2@a:1,etcd=b:2", "do not belong in an address"},
		{"consul,etcd", Address, "etcd=hunter2:x@a:1", "do not belong in an address"},
		{"consul", Address, "a:1?token=hunter2", "a question mark and what is behind it do not belong in an address; a token is given by --registry_token"},
		{"consul,etcd", Address, "a:1?token=hunter2,etcd=b:2", "do not belong in an address"},
		{"consul,etcd", Namespace, "etcd=a/b", "letters, digits"},
		{"consul,etcd", Password, "etcd=", "nothing stands behind"},
	} {
		_, err := each(map[string]string{tt.flag: tt.value}, strings.Split(tt.names, ",")...)
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("--%s=%s for %s: %v, want %q", tt.flag, tt.value, tt.names, err, tt.says)
			continue
		}
		if tt.flag != Password && !strings.ContainsAny(tt.value, "@?") && !strings.Contains(err.Error(), fmt.Sprintf("--%s=%q", tt.flag, tt.value)) {
			t.Errorf("%v does not show what was typed", err)
		}
	}
}

func TestFlagsForOneOfSeveralRegistries(t *testing.T) {
	all, err := each(map[string]string{
		User:      "both",
		Password:  "etcd=hun,consul=ter=2 ",
		Namespace: "shared,etcd=own",
		CA:        "/a,b=c.pem",
		Key:       "consul=/k.pem,x,etcd=/l.pem",
	}, "consul", "etcd")
	if err != nil {
		t.Fatal(err)
	}
	consul, etcd := all[0], all[1]
	if consul.access.Username != "both" || etcd.access.Username != "both" {
		t.Error("what names nobody is not for all")
	}
	if consul.access.Password != "" || etcd.access.Password != "hun,consul=ter=2 " {
		t.Errorf("the passwords are %q and %q", consul.access.Password, etcd.access.Password)
	}
	if consul.Layout.Namespace != "shared" || etcd.Layout.Namespace != "own" {
		t.Errorf("the namespaces are %q and %q", consul.Layout.Namespace, etcd.Layout.Namespace)
	}
	if consul.access.TLSFiles.CA != "/a,b=c.pem" || consul.access.TLSFiles.Key != "/k.pem,x" || etcd.access.TLSFiles.Key != "/l.pem" {
		t.Errorf("the files are %+v and %+v", consul.access.TLSFiles, etcd.access.TLSFiles)
	}
	// One registry takes a value as it is.
	one, err := each(map[string]string{User: "etcd=root", Password: "etcd=hunter2"}, "etcd")
	if err != nil || one[0].access.Username != "etcd=root" || one[0].access.Password != "etcd=hunter2" {
		t.Errorf("one registry got %+v, %v", one, err)
	}
}
