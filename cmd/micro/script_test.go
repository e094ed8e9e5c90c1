package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestScripts runs testdata/*.txtar, each on an etcd of its own at $ETCD, and one that
// begins with consul on an agent of its own at $CONSUL too. Beside
// the commands of testscript there are:
//
//	micro CODE ARGUMENT...   run micro; it must end with the exit code
//	greeter [FLAG...]        start a node of the service "greeter", with its id in $NODE
//	put KEY FILE             write a key of etcd
//	eventually TEXT ARGUMENT...
//	                         run micro until its standard output has the text
//	json PATH VALUE          compare a value in the JSON on standard output
//	clean                    standard output and error hold text alone
//
// and in $WORK the files that a text archive cannot hold, see writeOddFiles.
//
// $ODD is a name that wants to command a terminal, $ODDTEXT a text.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("found no scripts: %v", err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			t.Parallel()
			etcd := testkit.StartEtcd(t)
			consul := ""
			if strings.HasPrefix(filepath.Base(script), "consul") {
				consul = testkit.StartConsul(t).Addr()
			}
			binary := testkit.Micro(t)
			testscript.Run(t, testscript.Params{
				Files: []string{script},
				Setup: func(env *testscript.Env) error {
					if err := writeOddFiles(env.WorkDir); err != nil {
						return err
					}
					env.Setenv("ETCD", etcd.Addr())
					env.Setenv("CONSUL", consul)
					env.Setenv("MICRO_REGISTRY", "etcd")
					env.Setenv("ODD", "odd-\x1b]0;pwned\a\u009b\u202e")
					env.Setenv("ODDTEXT", "\x1b]0;pwned\a\u009b\x7f\u202e\n")
					env.Setenv("PATH", filepath.Dir(binary)+string(filepath.ListSeparator)+env.Getenv("PATH"))
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"micro": func(ts *testscript.TestScript, _ bool, args []string) {
						err := ts.Exec(binary, args[1:]...)
						var exit *exec.ExitError
						code := 0
						if errors.As(err, &exit) {
							code = exit.ExitCode()
						} else {
							ts.Check(err)
						}
						if strconv.Itoa(code) != args[0] {
							ts.Fatalf("exit code %d", code)
						}
					},
					"greeter": func(ts *testscript.TestScript, _ bool, args []string) {
						if len(args) == 0 {
							args = []string{"--registry=etcd", "--registry_address=" + etcd.Addr()}
						}
						startGreeter(ts, binary, args)
					},
					"put": func(ts *testscript.TestScript, _ bool, args []string) {
						_, err := etcd.Client(t).Put(t.Context(), args[0], strings.TrimSpace(ts.ReadFile(args[1])))
						ts.Check(err)
					},
					"eventually": func(ts *testscript.TestScript, _ bool, args []string) { eventually(ts, binary, args[0], args[1:]) },
					"json":       compareJSON,
					"clean":      onlyText,
				},
			})
		})
	}
}

// writeOddFiles writes bom.json, .yaml and .toml, which begin with a byte order mark, and
// deep.json, .yaml and .toml, whose levels are a thousand and more.
func writeOddFiles(dir string) error {
	const levels = 3000
	var err error
	for name, text := range map[string]string{
		"bom.json": "\ufeff{\"b\":1}", "bom.yaml": "\ufeffb: 2\n", "bom.toml": "\ufeffb = 3\n",
		"deep.json": `{"b":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "}",
		"deep.yaml": "b: " + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "\n",
		"deep.toml": "b = " + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "\n",
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return err
}

// startGreeter starts a node that ends with the script.
func startGreeter(ts *testscript.TestScript, binary string, flags []string) {
	cmd := exec.Command(binary, append([]string{"--" + childName, "demo-service"}, flags...)...)
	cmd.Env, cmd.Stderr = os.Environ(), os.Stderr
	stdin, err := cmd.StdinPipe()
	ts.Check(err)
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = stdin.Close()
		ts.Check(cmd.Wait())
	})
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if _, id, ok := strings.Cut(lines.Text(), "Registering node: "); ok {
			ts.Setenv("NODE", id)
			return
		}
	}
	ts.Fatalf("the greeter did not register")
}

// onlyText is the command clean.
func onlyText(ts *testscript.TestScript, _ bool, _ []string) {
	for _, name := range []string{"stdout", "stderr"} {
		for _, r := range ts.ReadFile(name) {
			if r != '\n' && !unicode.IsPrint(r) {
				ts.Fatalf("%U in %s: %q", r, name, ts.ReadFile(name))
			}
		}
	}
}

// eventually is the command of that name.
func eventually(ts *testscript.TestScript, binary, text string, args []string) {
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := ts.Exec(binary, args...)
		switch {
		case err == nil && strings.Contains(ts.ReadFile("stdout"), text):
			return
		case time.Now().After(deadline):
			ts.Fatalf("there is no %q within 30 s: %v", text, err)
		}
	}
}

// compareJSON is the command json: its path has names and indices, as in 0.nodes.1.
func compareJSON(ts *testscript.TestScript, _ bool, args []string) {
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	for _, step := range strings.Split(args[0], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			if i >= len(v) {
				ts.Fatalf("there are only %d elements at %q", len(v), step)
			}
			value = v[i]
		default:
			ts.Fatalf("there is no %q in %v", step, v)
		}
	}
	if got := fmt.Sprint(value); got != args[1] {
		ts.Fatalf("%s is %q, want %q", args[0], got, args[1])
	}
}
