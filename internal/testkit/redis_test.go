package testkit

import (
	"testing"
	"time"
)

func TestRedisLife(t *testing.T) {
	t.Parallel()
	r := StartRedis(t, "--requirepass", "secret")
	r.Kill()
	if r.answers(100 * time.Millisecond) {
		t.Fatal("a killed server answers")
	}
	r.Restart(t)
	r.Freeze(t)
	r.Thaw(t)
	Eventually(t, 10*time.Second, "a thawed server answers", func() bool { return r.answers(time.Second) })
	r.Wipe()
	r.Restart(t)
}
