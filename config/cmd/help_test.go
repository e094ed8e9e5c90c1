package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// golden compares text with a file, or writes the file if the environment says so.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s is not what the flags say; write it anew by UPDATE_GOLDEN=1 go test ./config/cmd, and look at the difference. Got:\n%s", path, text)
	}
}

func TestHelpIsTheManual(t *testing.T) {
	p := newProgram()
	p.cmd.App().Usage = "keeps orders"
	p.cmd.App().Commands = []*cli.Command{{Name: "migrate", Usage: "bring the tables up to date", Action: func(*cli.Context) error { return nil }}}
	p.cmd.App().Flags = append(p.cmd.App().Flags,
		&cli.IntFlag{Name: "port", Aliases: []string{"p"}, Value: 8080, EnvVars: []string{"PORT"}, Usage: "`NUMBER` of the port for people"},
		&cli.StringFlag{Name: "dsn", Usage: "where the database is", Category: "Database"})
	if err := p.run(t, "--help"); err != nil || p.stderr != "" {
		t.Fatalf("Init: %v, wrote %q", err, p.stderr)
	}
	for line := range strings.SplitSeq(p.stdout, "\n") {
		if len(line) > helpWidth {
			t.Errorf("wider than a terminal: %q", line)
		}
	}
	if at := strings.Index(p.stdout, "--port"); at < 0 || at > strings.Index(p.stdout, "--registry ") {
		t.Error("the program's own flags are not the first")
	}
	golden(t, filepath.Join("testdata", "help.txt"), p.stdout)
}

// TestHelpOfTheProgram: that of a command is the library's own, and so is that of a program with a template.
func TestHelpOfTheProgram(t *testing.T) {
	p := newProgram()
	p.cmd.App().Commands = []*cli.Command{{Name: "migrate", Usage: "bring up to date", Flags: []cli.Flag{&cli.BoolFlag{Name: "dry"}}, Action: func(*cli.Context) error { return nil }}}
	if err := p.run(t, "migrate", "--help"); err != nil || !strings.Contains(p.stdout, "--dry") || strings.Contains(p.stdout, "REGISTRY:") {
		t.Errorf("Init: %v, wrote %q", err, p.stdout)
	}
	p = newProgram()
	p.cmd.App().CustomAppHelpTemplate = "ask {{.Name}}\n"
	if err := p.run(t, "--help"); err != nil || p.stdout != "ask demo\n" {
		t.Errorf("Init: %v, wrote %q", err, p.stdout)
	}
}

// TestDocumentOfFlags compares docs/FLAGS.md with the flags.
func TestDocumentOfFlags(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Flags and variables of a service\n\n" +
		"What `--help` of a service shows. A flag given goes before a variable given, that before the code, that before the default; what is empty\n" +
		"counts as not given. A test compares this page with the flags and writes it (`UPDATE_GOLDEN=1 go test ./config/cmd`).\n\n" +
		"The process ends with 0 behind `--help` and `--version`, with 2 for wrong input (one line on standard error), and with 1, or the code of\n" +
		"`cli.Exit`, if an action of the program fails. A program's own flags (`micro.Flags`, `web.Flags`) go before ours of the same name.\n")
	cell := strings.NewReplacer("|", `\|`, "\n", " ", "`", "").Replace
	for _, g := range grouped(DefaultFlags, "Service") {
		fmt.Fprintf(&b, "\n## %s\n\n| Flag | Variable | Default | Meaning |\n|---|---|---|---|\n", g.name)
		for _, f := range g.flags {
			d := f.(cli.DocGenerationFlag)
			byDefault := d.GetDefaultText()
			if byDefault == "" {
				byDefault = "none"
			}
			fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n", f.Names()[0], d.GetEnvVars()[0], cell(byDefault), cell(d.GetUsage()))
		}
	}
	b.WriteString("\n## Variables without a flag\n\n| Variable | Default | Meaning |\n|---|---|---|\n" +
		"| `MICRO_LOG_LEVEL` | info | what is logged at least: trace, debug, info, warn, error, fatal |\n" +
		"| `POD_IP` | none | address to register where nothing else was said, as a deployment on Kubernetes hands it over |\n" +
		"\n## Settings of v2 that have no effect\n\nEach is accepted, and told once by a warning.\n\n| Flag | Variable | Why |\n|---|---|---|\n")
	for _, u := range allUnserved() {
		flag := ""
		if u.flag != "" {
			flag = "`--" + u.flag + "`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", flag, strings.TrimSuffix(u.variable+"="+u.only, "="), cell(u.why))
	}
	golden(t, filepath.Join("..", "..", "docs", "FLAGS.md"), b.String())
}
