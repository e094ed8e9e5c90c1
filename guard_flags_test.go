package micro

import (
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
	"github.com/rollcall-go/micro/store"
)

// TestStoreAndAuthOfTheCommandLine: a service uses what flags choose, and closes the store
// when it ends.
func TestStoreAndAuthOfTheCommandLine(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	undecided(t, "--registry=etcd", "--registry_address="+etcd.Addr(), "--store=etcd", "--auth=jwt", "--auth_namespace=shop")
	s := newService(Name("orders"), Address("127.0.0.1:0"), HandleSignal(false), Server(sgrpc.NewServer(sgrpc.DeregisterDelay(0), server.Id("1"))))
	if err := RegisterHandler(s.Server(), &Echo{}); err != nil {
		t.Fatal(err)
	}
	s.Init()
	kept := s.Options().Store
	if kept.String() != "etcd" || kept.Options().Table != "orders" {
		t.Fatalf("the store is %s with %+v", kept, kept.Options())
	}
	if err := kept.Write(&store.Record{Key: "a", Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	if a := s.Options().Auth; a.String() != "jwt" || a.Options().Namespace != "shop" || s.Server().Options().Auth != a {
		t.Errorf("the auth is %s with %+v", a, a.Options())
	}
	stop := run(t, s)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := kept.Write(&store.Record{Key: "a"}); err == nil {
		t.Error("the store is open after the service has ended")
	}
}
