package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/lint"
)

// examineConfig reads the configuration from the etcd of best, and says what is wrong
// with it. It says nothing where there is none, or the user may not read it.
func examineConfig(ctx context.Context, keys layout.Layout, best *visit) []Finding {
	var r report
	read := func(root string) (map[string]string, bool) {
		kvs, err := best.list(ctx, prefix(root))
		if err != nil && !errors.Is(err, rpctypes.ErrPermissionDenied) {
			r.unreadable(best, root, err)
		}
		all := make(map[string]string, len(kvs))
		for _, kv := range kvs {
			all[strings.TrimPrefix(string(kv.Key), root)] = string(kv.Value)
		}
		return all, err == nil
	}
	var c lint.Config
	var ok bool
	if c.Values, ok = read(keys.Config()); !ok {
		return r
	}
	c.Schemas, _ = read(keys.ConfigSchemas())
	c.Grays, _ = read(keys.ConfigGrays())
	if len(c.Values)+len(c.Schemas)+len(c.Grays) == 0 {
		return r
	}
	found := c.Lint(lint.Options{})
	for _, f := range found {
		told := tellings[f.Kind]
		cause := f.Text
		if f.Path != "" && f.Path != f.Key {
			cause = fmt.Sprintf("at %q: %s", f.Path, cause)
		}
		if f.Kind == lint.Rule {
			cause = fmt.Sprintf("the schema of %q is violated (%s)%s: %s", f.Schema, f.Rule, f.Who(), cause)
		}
		level := Problem
		if told.harmless {
			level = Warning
		}
		r = append(r, Finding{level, "config." + string(f.Kind), "configuration key " + f.Key, cause, told.fix, 0})
	}
	if len(found) == 0 {
		r.ok("config.read", best.addr, "%s and %s of the configuration are as they should be", number(len(c.Values), "value"), number(len(c.Schemas), "schema"))
	}
	return r
}

// tellings say of each kind of finding what helps, and whether services work with it.
var tellings = map[lint.Kind]struct {
	harmless bool
	fix      string
}{
	lint.Value:  {false, "put another value there with `micro config set`, or bring one back with `micro config rollback`; until then services keep the last good one, and those that start have none"},
	lint.Key:    {true, "delete it with `micro config del` if nobody reads it"},
	lint.Twice:  {true, "take one of the two out with `micro config set`"},
	lint.V2:     {true, "nothing, if no service of go-micro v2 reads it"},
	lint.Schema: {false, "set another one with `micro config schema set`, or delete it with `micro config schema del`"},
	lint.Rule:   {false, "`micro config set` a value that the schema takes, or change the schema"},
	lint.Secret: {false, "`micro config secret set` it anew, or bring it back with `micro config rollback`"},
	lint.Plain:  {true, "`micro config secret set` it"},
	lint.Gray:   {false, "`micro config abort` it"},
}
