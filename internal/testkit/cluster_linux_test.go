package testkit

import (
	"context"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// answersAll reports whether a member answers a read that needs the others.
func answersAll(t *testing.T, c *clientv3.Client) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := c.Get(ctx, "/")
	return err == nil
}

func TestClusterBearsTheLossOfAMember(t *testing.T) {
	c := StartCluster(t)
	one := c.Members[1].Client(t)
	c.Members[0].Kill()
	Eventually(t, 20*time.Second, "the rest answers", func() bool { return answersAll(t, one) })
	c.Members[0].Restart(t)
}

func TestIsolatedMember(t *testing.T) {
	c := StartSeparateCluster(t)
	one, two := c.Members[1].Client(t), c.Members[2].Client(t)
	c.Isolate(t, 1)
	Eventually(t, 20*time.Second, "the rest answers", func() bool { return answersAll(t, two) })
	Eventually(t, 20*time.Second, "the isolated member does not", func() bool { return !answersAll(t, one) })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := one.Get(ctx, "/", clientv3.WithSerializable()); err != nil {
		t.Errorf("the isolated member cannot be reached: %v", err)
	}
	c.Rejoin(t, 1)
	Eventually(t, 20*time.Second, "the member is back", func() bool { return answersAll(t, one) })
}
