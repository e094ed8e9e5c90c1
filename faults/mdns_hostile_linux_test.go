package faults

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"

	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/internal/testkit"
)

// attackVariable makes a run of TestAttack a hostile host.
const attackVariable = "ROLLCALL_FAULTS_ATTACK"

const (
	// attackTime is how long an attack lasts at most, unless that is not enough.
	attackTime = 10 * time.Second
	// enoughToDisturb is how many packets are sent at least, however long that takes.
	enoughToDisturb = 10_000
)

// TestAttack is no test but what TestF6HostileHost runs on a host of its own: it
// multicasts 100,000 nodes and services that do not exist, texts that nobody can
// read, and noise.
func TestAttack(t *testing.T) {
	if os.Getenv(attackVariable) == "" {
		return
	}
	conn, err := net.ListenPacket("udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ifi, err := net.InterfaceByName(wire)
	if err != nil {
		t.Fatal(err)
	}
	if err := ipv4.NewPacketConn(conn).SetMulticastInterface(ifi); err != nil {
		t.Fatal(err)
	}
	good, err := txt.Encode(txt.Record{Service: "evil", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	bomb, err := txt.Encode(txt.Record{Service: "evil", Version: strings.Repeat("v", 1<<19)})
	if err != nil {
		t.Fatal(err)
	}
	noise := []byte(strings.Repeat("\x00\x84\xc0\x0c", 2000)) // more than a frame
	sent := 0
	begun := time.Now()
	for i := 0; i < 100_000 && (time.Since(begun) < attackTime || sent < enoughToDisturb); i++ {
		packet := fake(t, fmt.Sprintf("evil-%d.evil.micro.", i), good)
		switch i % 10 {
		case 1:
			packet = fake(t, fmt.Sprintf("evil-%d._services.micro.", i), nil)
		case 2:
			packet = fake(t, fmt.Sprintf("evil-%d.node.micro.", i), bomb)
		case 3:
			packet = fake(t, fmt.Sprintf("evil-%d.node.micro.", i), []string{"garbage"})
		case 4:
			packet = noise[:i%len(noise)]
		}
		if _, err := conn.WriteTo(packet, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}); err == nil {
			sent++
		}
	}
	fmt.Printf("sent %d\n", sent)
}

// fake says that there is a node.
func fake(t *testing.T, name string, text []string) []byte {
	t.Helper()
	head := func(name string) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: 120}
	}
	m := dnsmessage.Message{
		Header: dnsmessage.Header{Response: true, Authoritative: true},
		Answers: []dnsmessage.Resource{
			{Header: head(name), Body: &dnsmessage.SRVResource{Port: 1, Target: dnsmessage.MustNewName("evil.")}},
			{Header: head("evil."), Body: &dnsmessage.AResource{A: [4]byte{10, 78, 0, 66}}},
			{Header: head(name), Body: &dnsmessage.TXTResource{TXT: text}},
		},
	}
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// Row F6. Fault: a host floods the network with nodes and services that do not exist,
// bombs and noise. Bound: no call between neighbours fails, a node that starts
// afterwards is found, and a program that lists everything takes less than 256 MB.
func TestF6HostileHost(t *testing.T) {
	t.Parallel()
	hosts := neighbours(t, 3)
	mdnsNode(t, hosts[1], "--server_address=:0")
	caller := mdnsCaller(t, hosts[0])
	watch := testkit.StartProcess(t, hosts[0].Command(testkit.Micro(t), "watch", "--registry=mdns"))
	watch.Says(t, "watching")

	attack := hosts[2].Command(os.Args[0], "-test.run=^TestAttack$")
	attack.Env = append(os.Environ(), attackVariable+"=yes")
	p := testkit.StartProcess(t, attack)
	sent, err := strconv.Atoi(p.Says(t, `sent ([0-9]+)`))
	if err != nil || sent < enoughToDisturb {
		t.Fatalf("%d packets were sent, %v: nothing was disturbed", sent, err)
	}
	testkit.Eventually(t, patience, "the one that lists everything was disturbed", func() bool { return watch.Lines("evil-") > 100 })
	atMost(t, "memory of the one that lists everything, MB", residentMB(t, watch.PID()), 256)

	mdnsNode(t, hosts[1], "--server_address=:0")
	testkit.Eventually(t, patience, "a node that starts afterwards is found", func() bool {
		out, err := microOn(t, hosts[0], "get", "service", "node")
		return err == nil && len(regexp.MustCompile(`10\.78\.0\.2:[0-9]+`).FindAllString(out, -1)) == 2
	})
	calls, failed := outcome(t, caller)
	t.Logf("measured: %d packets sent, %d nodes listed", sent, watch.Lines("create"))
	if calls == 0 || failed > 0 {
		t.Errorf("%d of %d calls failed", failed, calls)
	}
}

// residentMB returns how much memory a process has.
func residentMB(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	kb := regexp.MustCompile(`VmRSS:\s*([0-9]+) kB`).FindSubmatch(text)
	if kb == nil {
		t.Fatalf("no VmRSS in %s", text)
	}
	n, err := strconv.Atoi(string(kb[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n >> 10
}
