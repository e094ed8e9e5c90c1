package main

import (
	"strings"
	"testing"
)

func run(lines string) (string, bool) {
	var out strings.Builder
	r := newReport(&out)
	if err := r.read(strings.NewReader(lines)); err != nil {
		return err.Error(), false
	}
	ok := r.close()
	return out.String(), ok
}

func TestReport(t *testing.T) {
	pass := `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Elapsed":1.5}
`
	if out, ok := run(pass); !ok || !strings.HasSuffix(out, "tests: 1 passed, 0 failed, 0 skipped\n") {
		t.Errorf("pass: %v\n%s", ok, out)
	}

	skip := `{"Action":"output","Package":"p","Test":"TestB","Output":"    a_test.go:7: etcd 3.4: not installed\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
`
	if out, ok := run(pass + skip); !ok || !strings.HasSuffix(out, "1 skipped\nskipped 1: etcd 3.4: not installed\n") {
		t.Errorf("skip: %v\n%s", ok, out)
	}

	lacks := `{"Action":"output","Package":"p","Test":"TestA","Output":"LACKS-ABILITY mdns name: no service named \"...\"\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"LACKS-ABILITY mdns name: no node id of 300 bytes\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"LACKS-ABILITY memory processes: no Second\n"}
`
	if out, ok := run(lacks + pass); !ok || !strings.HasSuffix(out, "\nabilities that backends lack 2: mdns name; 1: memory processes\n") {
		t.Errorf("lacks: %v\n%s", ok, out)
	}

	fail := `{"Action":"output","Package":"p","Test":"TestC","Output":"boom\n"}
{"Action":"fail","Package":"p","Test":"TestC"}
{"Action":"fail","Package":"p"}
`
	if out, ok := run(pass + fail); ok || !strings.Contains(out, "boom") || !strings.Contains(out, "1 passed, 1 failed") {
		t.Errorf("fail: %v\n%s", ok, out)
	}

	broken := `{"Action":"output","Package":"q","Output":"panic: no\n"}
{"Action":"fail","Package":"q"}
`
	if out, ok := run(pass + broken); ok || !strings.Contains(out, "panic: no") || !strings.Contains(out, "1 failed") {
		t.Errorf("broken: %v\n%s", ok, out)
	}

	// A goroutine's panic ends the process in a test that has no end of its own.
	ended := `{"Action":"output","Package":"q","Test":"TestD","Output":"panic: in a goroutine\n"}
{"Action":"output","Package":"q","Output":"FAIL q 2.7s\n"}
{"Action":"fail","Package":"q"}
`
	if out, ok := run(pass + ended); ok || !strings.Contains(out, "--- UNFINISHED: q TestD\npanic: in a goroutine") || !strings.HasSuffix(out, "panic: in a goroutine\ntests: 1 passed, 1 failed, 0 skipped\n") {
		t.Errorf("ended: %v\n%s", ok, out)
	}

	if out, ok := run(""); ok {
		t.Errorf("no test at all passed:\n%s", out)
	}
}
