package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/rollcall-go/micro/config/secret"
)

// madeKey is what keygen tells.
type madeKey struct {
	ID     string `json:"id"`
	Public string `json:"public_key"`
	File   string `json:"file"`
}

var _ result = madeKey{}

func (k madeKey) value() any { return k }

func (k madeKey) table(w screen) error {
	w.line("key %s is in %s; keep a copy where only those are who may read the secrets: without it nobody can", k.ID, k.File)
	w.line("public key, to write secrets: %s", k.Public)
	return nil
}

func makeKey(c *cli.Context) error {
	path := c.Args().First()
	key, err := secret.NewPrivateKey()
	if err != nil {
		return err
	}
	text, err := key.Text()
	if err != nil {
		return err
	}
	content := fmt.Sprintf("# key %s, made %s; %s\n%s\n", key.ID(), time.Now().UTC().Format(time.RFC3339), key.Public(), text)
	if c.Bool("add") {
		err = addKey(path, content)
	} else {
		err = writeNew(path, content)
	}
	if err != nil {
		return err
	}
	return show(c, madeKey{key.ID(), key.Public().String(), path})
}

// writeNew makes a file that only this user may read.
func writeNew(path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make a key: there is a file %q already, and without its keys secrets are lost: choose another name, or --add", path)
	}
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// addKey puts a key before those of a file: as a whole, so that nobody reads half of it.
func addKey(path, content string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("add a key: %w", err)
	}
	if _, err := secret.ParsePrivateKeys(string(before)); err != nil {
		return fmt.Errorf("add a key to %q: %w", path, err)
	}
	next := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := writeNew(next, content+string(before)); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}

// readSecret reads a text from where the command line says, without the end of its
// line. A terminal does not show it.
func readSecret(c *cli.Context, of string) ([]byte, error) {
	var text []byte
	var err error
	from := c.String("from")
	switch terminal, ok := c.App.Reader.(*os.File); {
	case from != "" && from != "-":
		text, err = os.ReadFile(from)
	case ok && term.IsTerminal(int(terminal.Fd())):
		_, _ = fmt.Fprintf(stderr(c), "text of %q (it is not shown): ", printable(of))
		text, err = term.ReadPassword(int(terminal.Fd()))
		_, _ = fmt.Fprintln(stderr(c))
	default:
		text, err = readAll(c.Context, c.App.Reader)
	}
	if err != nil {
		return nil, fmt.Errorf("read the text: %w", err)
	}
	if text = bytes.TrimRight(text, "\r\n"); len(text) == 0 {
		return nil, errors.New("read the text: it is empty")
	}
	return text, nil
}
