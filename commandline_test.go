package micro

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/cmd"
)

// noDatabase is the variable by which TestAnActionThatFailsEndsTheProgram runs itself as a
// program whose database is away.
const noDatabase = "ROLLCALL_TEST_FAILING_ACTION"

func TestAnActionThatFailsEndsTheProgram(t *testing.T) {
	if os.Getenv(noDatabase) != "" {
		s := newService(Name("orders"), Registry(newMemory(t)), Cmd(cmd.NewCmd()))
		s.Init(Action(func(*cli.Context) error { return errors.New("connect the database: no route") }))
		t.Fatal("Init returned")
	}
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	c.Env = append(os.Environ(), noDatabase+"=1")
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "orders: connect the database: no route") {
		t.Errorf("ended with %v and wrote %q", err, out)
	}
}

// TestFlagsOfTheProgramReachItsAction connects databases in the first Init, once, before Run.
func TestFlagsOfTheProgramReachItsAction(t *testing.T) {
	fresh(t)
	os.Args = []string{"svc", "--dsn=db:5432", "-n", "3", "--verbose", "--tag=a", "--tag=b", "--server_version=2"}
	var dsn string
	var tags []string
	var number, ran int
	var verbose bool
	s := newService(Name("orders"), Registry(newMemory(t)), Flags(
		&cli.StringFlag{Name: "dsn"}, &cli.IntFlag{Name: "number", Aliases: []string{"n"}}, &cli.BoolFlag{Name: "verbose"}, &cli.StringSliceFlag{Name: "tag"}))
	action := Action(func(c *cli.Context) error {
		dsn, number, verbose, tags = c.String("dsn"), c.Int("number"), c.Bool("verbose"), c.StringSlice("tag")
		ran++
		return nil
	})
	s.Init(action)
	s.Init(action, Version("3"))
	if dsn != "db:5432" || number != 3 || !verbose || strings.Join(tags, "") != "ab" || ran != 1 {
		t.Errorf("the action saw %q, %d, %v, %v and ran %d times", dsn, number, verbose, tags, ran)
	}
	if v := s.Server().Options().Version; v != "3" {
		t.Errorf("the version is %q, want that of the second Init", v)
	}
}

// TestVariablesThatTheProgramSets are read by Init, not when the service is made.
func TestVariablesThatTheProgramSets(t *testing.T) {
	fresh(t)
	s := newService(Name("orders"), Registry(newMemory(t)))
	t.Setenv("MICRO_SERVER_NAME", "invoices")
	s.Init()
	if s.Name() != "invoices" {
		t.Errorf("the name is %q", s.Name())
	}
}

// TestTheProgramChangesTheApplication before Init.
func TestTheProgramChangesTheApplication(t *testing.T) {
	fresh(t)
	os.Args = []string{"svc", "--server_id=7", "migrate"}
	line := cmd.NewCmd(cmd.Description("keeps orders"))
	before, migrated := line.App().Before, false
	line.App().Before = func(c *cli.Context) error { return before(c) }
	line.App().Commands = []*cli.Command{{Name: "migrate", Action: func(*cli.Context) error { migrated = true; return nil }}}
	s := newService(Name("orders"), Registry(newMemory(t)), Cmd(line))
	s.Init()
	if app := line.App(); !migrated || app.Name != "orders" || app.Usage != "keeps orders" || s.Server().Options().Id != "7" {
		t.Errorf("migrated: %v, the application is %q - %q, the id %q", migrated, app.Name, app.Usage, s.Server().Options().Id)
	}
}
