package cli

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestContext(t *testing.T) {
	app := cli.NewApp()
	app.Flags = []cli.Flag{
		&cli.StringFlag{Name: "database-host", Aliases: []string{"dbh"}},
		&cli.IntFlag{Name: "database_port", Value: 3306},
		&cli.StringFlag{Name: "database", Value: "lies above"},
		&cli.StringSliceFlag{Name: "peers"},
		&cli.DurationFlag{Name: "wait"},
	}
	for _, how := range []func(*cli.Context) source.Source{
		func(c *cli.Context) source.Source { return WithContext(c) },
		func(c *cli.Context) source.Source { return NewSource(Context(c)) },
	} {
		var text string
		app.Action = func(c *cli.Context) error {
			set, err := how(c).Read()
			if err == nil {
				text = string(set.Data)
			}
			return err
		}
		if err := app.Run([]string{"app", "-dbh", "h", "--peers", "a", "--peers", "b", "--wait", "2s"}); err != nil {
			t.Fatal(err)
		}
		if want := `{"database":{"host":"h","port":3306},"help":false,"peers":["a","b"],"wait":2000000000}`; text != want {
			t.Errorf("got %s, want %s", text, want)
		}
	}
}

// TestCommandLine reads os.Args by the flags of the program.
func TestCommandLine(t *testing.T) {
	former, args := cmd.App().Flags, os.Args
	defer func() { cmd.App().Flags, os.Args = former, args }()
	cmd.App().Flags = append(cmd.App().Flags, &cli.DurationFlag{Name: "shop-wait"})
	os.Args = []string{"app", "--shop-wait=3s"}
	s := NewSource()
	set, err := s.Read()
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Shop struct{ Wait time.Duration } }
	if err := json.Unmarshal(set.Data, &got); err != nil || got.Shop.Wait != 3*time.Second {
		t.Errorf("%s: %+v, %v", set.Data, got, err)
	}
	if err := s.Write(set); !errors.Is(err, source.ErrReadOnly) {
		t.Errorf("Write: %v", err)
	}
}
