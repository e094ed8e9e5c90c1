package cmd

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// Flags of a test, as programs declare them in their _test.go files.
var (
	_ = flag.Bool("update", false, "write golden files")
	_ = flag.String("golden", "", "where the golden files are")
)

func TestFlagsOfATestBinary(t *testing.T) {
	for _, args := range [][]string{
		{"-update"}, {"--update"}, {"-update=true"}, {"-golden=x"}, {"-golden", "x"}, {"-golden", "-update"},
		{"-test.v", "-test.run", "X", "-test.count=1", "-update"},
	} {
		p := newProgram()
		if err := p.run(t, append(args, "--server_name=x")...); err != nil || len(p.exited) > 0 || p.server.Options().Name != "x" {
			t.Errorf("%q: Init: %v, exited with %v and wrote %q, the name is %q", args, err, p.exited, p.stderr, p.server.Options().Name)
		}
	}
	p := newProgram()
	if err := p.run(t, "-updated"); err == nil || !strings.Contains(p.stderr, "unknown flag --updated") {
		t.Errorf("a flag that nobody declared: Init: %v, wrote %q", err, p.stderr)
	}
}

// TestServiceMadeBeforeTestFlagsAreDeclared makes a service as a package does while
// it is initialised: none of the test's flags is known, and none was parsed.
func TestServiceMadeBeforeTestFlagsAreDeclared(t *testing.T) {
	tests := flag.CommandLine
	flag.CommandLine = flag.NewFlagSet("x", flag.ContinueOnError)
	defer func() { flag.CommandLine = tests }()
	for _, args := range []string{
		"-test.v -test.count=1 --server_name=x", "--server_name=x -test.run X", "--server_name=x -golden g some words", "-update --server_name=x .", "--server_name=x -- -update",
	} {
		for _, binary := range []string{"/tmp/x.test", `C:\\x.test.exe`, "/tmp/x_test"} {
			if binary == "/tmp/x_test" { // as other build tools and debuggers name it
				args = "-test.timeout=1m " + args
			}
			p := newProgram()
			p.binary = binary
			if err := p.run(t, strings.Fields(args)...); err != nil || len(p.exited) > 0 || p.server.Options().Name != "x" {
				t.Errorf("%s: Init: %v, exited with %v and wrote %q, the name is %q", args, err, p.exited, p.stderr, p.server.Options().Name)
			}
		}
	}
}

func TestStrayWords(t *testing.T) {
	command := func(p *program) {
		p.cmd.App().Commands = []*cli.Command{{Name: "migrate", Action: func(*cli.Context) error { return nil }}}
	}
	action := func(p *program) { p.cmd.App().Action = func(*cli.Context) error { return nil } }
	for _, tt := range []struct {
		args    string
		program func(*program)
		want    string // on standard error; empty if the words are the program's own
	}{
		{"serve", nil, `unexpected argument "serve"; flags after it would be ignored`},
		{"serve --registry=etcd --registry_address=10.0.0.5:2379", nil, `unexpected argument "serve"`},
		{"--server_name=x serve now", nil, `unexpected argument "serve"`},
		{"-- serve", nil, `unexpected argument "serve"`},
		{"help", nil, `unexpected argument "help"`},
		{"migrat", command, `unexpected argument "migrat": did you mean the command "migrate"?`},
		{"serve", command, `unexpected argument "serve"`},
		{"migrate up", command, ""},
		{"serve --registry=etcd", action, ""},
	} {
		p := newProgram()
		if tt.program != nil {
			tt.program(p)
		}
		err := p.run(t, strings.Fields(tt.args)...)
		if tt.want == "" {
			if err != nil || len(p.exited) > 0 {
				t.Errorf("%s: Init: %v, exited with %v", tt.args, err, p.exited)
			}
			continue
		}
		if err == nil || !slices.Equal(p.exited, []int{2}) || !strings.Contains(p.stderr, tt.want) || strings.Count(p.stderr, "\n") != 1 {
			t.Errorf("%s: Init: %v, exited with %v and wrote %q", tt.args, err, p.exited, p.stderr)
		}
	}
}

// A variable may ask for what only a flag behind a word could give.
func TestWordsBeforeAMissingFlag(t *testing.T) {
	t.Setenv("MICRO_REGISTRY_USER", "u")
	for args, word := range map[string]string{
		"serve --registry_password=x": "serve", "--server_name=x serve=Hunter2 --registry_password=x": "serve=...",
	} {
		p := newProgram()
		if err := p.run(t, strings.Fields(args)...); err == nil || !slices.Equal(p.exited, []int{2}) || strings.Contains(p.stderr, "Hunter2") ||
			!strings.Contains(p.stderr, fmt.Sprintf("flags behind %q were not read", word)) {
			t.Errorf("%s: Init: %v, exited with %v and wrote %q", args, err, p.exited, p.stderr)
		}
	}
}

// TestWordsOfAnotherCommandLine makes a service within a command of the program's
// own command line.
func TestWordsOfAnotherCommandLine(t *testing.T) {
	for _, blank := range []string{"", " ", "\r"} { // as templates and scripts leave them
		p := newProgram()
		if err := p.run(t, "--server_name=x", blank); err != nil || p.server.Options().Name != "x" {
			t.Errorf("%q: Init: %v", blank, err)
		}
		if err := p.run(t, blank, "--server_name=y"); err == nil || !strings.Contains(p.stderr, "unexpected argument") {
			t.Errorf("%q before a flag: Init: %v, wrote %q", blank, err, p.stderr)
		}
	}
	p := newProgram()
	var inner error
	outer := &cli.App{Name: "svc", Commands: []*cli.Command{{
		Name: "serve", Flags: []cli.Flag{&cli.IntFlag{Name: "port"}},
		Action: func(*cli.Context) error {
			inner = p.run(t, "serve", "--port", "8080")
			return nil
		},
	}}}
	if err := outer.Run([]string{"svc", "serve", "--port", "8080"}); err != nil || inner != nil || len(p.exited) > 0 {
		t.Errorf("Init: %v, %v, exited with %v and wrote %q", err, inner, p.exited, p.stderr)
	}
}

func TestFunctionsOfCommandLibraries(t *testing.T) {
	for function, want := range map[string]bool{
		"github.com/spf13/cobra.(*Command).execute": true, "github.com/urfave/cli/v2.(*App).RunContext": true,
		"gopkg.in/urfave/cli%2ev1.HandleAction": true, "github.com/alecthomas/kingpin/v2.(*Application).Parse": true,
		"github.com/spf13/cobras.Run": false, "example.com/github.com/spf13/cobra.Run": false, "main.main": false, "": false,
	} {
		if got := inCommandLibrary(function); got != want {
			t.Errorf("%s: %v", function, got)
		}
	}
}

// TestWordsOfTheProgramsOwnParser looks at a program that calls flag.Parse.
func TestWordsOfTheProgramsOwnParser(t *testing.T) {
	tests := flag.CommandLine
	defer func() { flag.CommandLine = tests }()
	for _, tt := range []struct {
		args []string
		ok   bool
	}{
		{[]string{"serve"}, true},
		{[]string{"serve", "--port=1"}, true},
		{[]string{"serve", "--registry=etcd"}, false},
	} {
		flag.CommandLine = flag.NewFlagSet("svc", flag.ContinueOnError)
		if err := flag.CommandLine.Parse(tt.args); err != nil {
			t.Fatal(err)
		}
		p := newProgram()
		if err := p.run(t, tt.args...); (err == nil) != tt.ok {
			t.Errorf("%q: Init: %v, wrote %q", tt.args, err, p.stderr)
		}
	}
}
