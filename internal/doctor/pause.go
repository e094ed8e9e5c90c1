package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// examinePauses lists the nodes that an operator keeps out. registered are the
// keys of the registry.
func examinePauses(ctx context.Context, r *report, keys layout.Layout, best *visit, registered []*mvccpb.KeyValue) {
	kvs, err := best.list(ctx, prefix(keys.Pauses()))
	if errors.Is(err, rpctypes.ErrPermissionDenied) {
		return // said with the rights of the user
	}
	if err != nil {
		r.unreadable(best, keys.Pauses(), err)
		return
	}
	judgePauses(r, keys, kvs, registered)
}

// judgePauses reports the pause keys kvs.
func judgePauses(r *report, keys layout.Layout, kvs, registered []*mvccpb.KeyValue) {
	there := make(map[string]bool, len(registered))
	for _, kv := range registered {
		there[string(kv.Key)] = true
	}
	for _, kv := range kvs {
		name := strings.TrimPrefix(string(kv.Key), keys.Pauses())
		service, id, _ := strings.Cut(name, "/")
		if service == "" || id == "" {
			r.warn("pause.malformed", string(kv.Key), "`etcdctl del "+Shell(string(kv.Key))+"`", "it names no node, so it has no effect")
			continue
		}
		fix := fmt.Sprintf("`micro node resume %s %s`", Shell(service), Shell(id))
		if there[keys.Services()+name] {
			r.warn("node.paused_registered", name, "stop its process if it is a node of go-micro v2, which knows no pause; or "+fix, "it is paused%s, but still registered", byWhom(kv.Value))
			continue
		}
		r.warn("node.paused", name, fix, "it is paused%s, and does not register", byWhom(kv.Value))
	}
}

// byWhom says what the value of a pause key tells, "" if that is nothing.
func byWhom(value []byte) string {
	p, text := layout.DecodePause(value), ""
	if p.By != "" {
		text += " by " + p.By
	}
	if p.At != "" {
		text += " since " + p.At
	}
	if p.Reason != "" {
		text += fmt.Sprintf(" (%s)", p.Reason)
	}
	return text
}
