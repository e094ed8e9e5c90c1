package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
)

func editCommand() *cli.Command {
	return configSub("edit", "[PATH]", "change keys in an editor", `Opens the key PATH and all keys below it, or all keys there are, in $VISUAL or $EDITOR, as
"micro config export" writes them. What was changed there is checked and shown, and
released if you say yes: keys that you took out are deleted. If it cannot be released,
as when somebody else was faster, what you wrote stays in a file that is named.

   micro config edit database
   EDITOR="code --wait" micro config edit --format yaml --comment "more room"`, 0, 1, editConfig,
		append(writeFlags(), formatFlag("json"), &cli.BoolFlag{Name: "yes", Usage: "release it without asking", DisableDefaultText: true})...)
}

// edited is a text that is changed in an editor.
type edited struct {
	*configSession
	under, format string
	all           []center.Entry // as they were read
	file          string
	before        []byte
}

func editConfig(s *configSession) (err error) {
	e := &edited{configSession: s, under: s.path(), format: s.String("format")}
	if e.format == "" {
		e.format = "json"
	}
	editor, err := e.editor()
	if err != nil {
		return err
	}
	if err := e.write(); err != nil {
		return err
	}
	defer func() {
		// What was written is the operator's: it goes away when it is released, or is what
		// can be read again.
		text, unread := os.ReadFile(e.file)
		switch {
		case unread == nil && bytes.Equal(text, e.before), err == nil && !s.Bool("dry-run"),
			errors.As(err, new(*center.WaitError)): // then it is released
			_ = os.Remove(e.file)
		case err != nil:
			err = fmt.Errorf("%w; what you wrote is in %q: `micro config diff %s` and `micro config import %s` take it", err, e.file, e.file, e.file)
		}
	}()
	for {
		if err := e.run(editor); err != nil {
			return err
		}
		d, err := e.draft()
		if err == nil {
			d, err = e.planned(d)
		}
		switch {
		case errors.Is(err, errUnchanged) || errors.Is(err, center.ErrNoChange):
			stderr(s.Context).note("nothing was changed, so nothing was released")
			return nil
		case err == nil && s.Bool("dry-run"):
			stderr(s.Context).note("what you wrote is in %q", e.file)
			return s.release(d)
		case err == nil && s.Bool("yes"):
			return s.release(d)
		case errors.As(err, new(*center.ConflictError)) || err != nil && s.Bool("yes"):
			return err
		}
		question := "release it? yes, no, or e to edit again"
		if err != nil {
			stderr(s.Context).note("%v", err)
			question = "edit it again? yes or no"
		}
		answer, unasked := e.ask(question)
		again := err != nil && answer == "y" || answer == "e"
		switch {
		case unasked != nil:
			return errors.Join(err, unasked)
		case again:
		case err == nil && answer == "y":
			return s.release(d)
		case err != nil:
			return err
		default:
			return errors.New("nothing was released, as you wished")
		}
	}
}

var errUnchanged = errors.New("the text is as it was")

// editor returns the command line of the editor, if there is somebody to use it.
func (e *edited) editor() (string, error) {
	if in, ok := e.App.Reader.(*os.File); !e.Bool("yes") && ok && !(screen{in}).isTerminal() {
		path := ""
		if e.under != "" {
			path = " " + e.under
		}
		return "", fmt.Errorf("edit the configuration: there is no terminal: write it to a file with `micro config export%s`, change that, and release it with `micro config import`, or give --yes to an editor that needs none", path)
	}
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if editor := strings.TrimSpace(os.Getenv(name)); editor != "" {
			return editor, nil
		}
	}
	for _, known := range []string{"vi", "nano"} {
		if path, err := exec.LookPath(known); err == nil {
			return path, nil
		}
	}
	return "", errors.New("edit the configuration: there is no editor: name one in $EDITOR")
}

// write makes the file that is edited, which others cannot read.
func (e *edited) write() error {
	var err error
	if e.all, err = e.List(e.Context.Context, e.under); err != nil {
		return err
	}
	t := center.Tree{}
	for _, one := range e.all {
		t[one.Key] = one.Value
	}
	if len(t) == 0 && e.under != "" {
		t[e.under] = `"..."`
	}
	if e.before, err = encoded(t, e.format); err != nil {
		return fmt.Errorf("edit the configuration: %w", err)
	}
	f, err := os.CreateTemp("", "micro-config-*."+e.format)
	if err != nil {
		return fmt.Errorf("edit the configuration: %w", err)
	}
	e.file = f.Name()
	_, err = f.Write(e.before)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("edit the configuration: %w", errors.Join(err, os.Remove(e.file)))
	}
	return nil
}

// run runs the editor until it ends.
func (e *edited) run(editor string) error {
	cmd := exec.Command("sh", "-c", editor+` "$@"`, editor, e.file)
	if runtime.GOOS == "windows" {
		words := append(strings.Fields(editor), e.file)
		cmd = exec.Command(words[0], words[1:]...)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run the editor %q: %w", editor, err)
	}
	// A Ctrl-C in an editor is meant for it alone.
	signal.Ignore(os.Interrupt)
	err := cmd.Wait()
	e.Context.Context, _ = signal.NotifyContext(e.Context.Context, os.Interrupt) // for what is left of the command
	if err != nil {
		// Its exit code is not to be taken for ours.
		return fmt.Errorf("run the editor %q: %v; nothing was released", editor, err)
	}
	return nil
}

// draft reads what was written.
func (e *edited) draft() (center.Draft, error) {
	text, err := os.ReadFile(e.file)
	if err != nil {
		return center.Draft{}, fmt.Errorf("read what was written: %w", err)
	}
	if bytes.Equal(text, e.before) {
		return center.Draft{}, errUnchanged
	}
	wanted, err := center.Decode(text, e.format)
	if err != nil {
		return center.Draft{}, err
	}
	for key := range wanted {
		if !center.Within(key, e.under) {
			return center.Draft{}, fmt.Errorf("the key %q is neither %q nor below it: edit it by itself", key, e.under)
		}
	}
	return drafted(e.all, wanted), nil
}

// planned shows what a draft would change, and returns it.
func (e *edited) planned(d center.Draft) (center.Draft, error) {
	r, err := e.Plan(e.Context.Context, d)
	if err != nil || e.Bool("dry-run") || e.Bool("yes") {
		return d, err
	}
	return d, changeTable(stderr(e.Context), r.Changes)
}

// ask asks the operator, and returns the first letter of the answer.
func (e *edited) ask(question string) (string, error) {
	_, _ = fmt.Fprintf(stderr(e.Context), "%s: ", question)
	answered := make(chan string, 1)
	go func() { // reading a terminal cannot be ended: the process ends first
		var line []byte
		for one := make([]byte, 1); !bytes.HasSuffix(line, []byte("\n")); {
			n, err := e.App.Reader.Read(one) // no more than the line: the editor reads too
			if line = append(line, one[:n]...); err != nil {
				break
			}
		}
		answered <- string(line)
	}()
	select {
	case line := <-answered:
		if line == "" {
			return "", errors.New("there was no answer")
		}
		return strings.ToLower(strings.TrimSpace(line) + " ")[:1], nil
	case <-e.Context.Done():
		return "", errors.New("interrupted")
	}
}
