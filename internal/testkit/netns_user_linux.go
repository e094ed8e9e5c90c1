package testkit

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// within returns what commands begin with that make namespaces or run in them:
// nothing for root. Others are root in a user namespace, where the system lets them
// have one, which lasts as long as the test process.
var within = sync.OnceValues(func() ([]string, error) {
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		return nil, nil
	}
	// It ends when its standard input does, which is when this process ends.
	holder := exec.Command("unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c", "mount -t tmpfs none /run && mkdir /run/netns && echo ready && exec cat")
	var why strings.Builder
	holder.Stderr = &why
	var err error
	if lifeline, err = holder.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := holder.Start(); err != nil {
		return nil, fmt.Errorf("only root may make them, and there are no user namespaces: %w", err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		_ = holder.Wait() // that it failed is known
		return nil, fmt.Errorf("only root may make them, and in a user namespace: %s", strings.TrimSpace(why.String()))
	}
	return []string{"nsenter", "--preserve-credentials", "--user", "--net", "--mount", "--target", strconv.Itoa(holder.Process.Pid)}, nil
})

// lifeline is the standard input of what holds the user namespace. Unreferenced, it
// would be collected, and closed.
//
//lint:ignore U1000 it is there to be referenced, not to be read
var lifeline io.Closer

// privileged returns a command that may make namespaces and enter them.
func privileged(name string, args ...string) *exec.Cmd {
	prefix, _ := within() // NewNetns has looked at the error
	all := append(append([]string(nil), prefix...), append([]string{name}, args...)...)
	return exec.Command(all[0], all[1:]...)
}
