package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-go/micro/logger"
)

// What is compared runs in processes of its own, so that the time and the memory of
// each are its own. A part is such a process: this program once more, told by its
// arguments what to be, and by lines of JSON what to do.

// partCommand is the first argument of a part.
const partCommand = "part"

// answerMark begins the lines of a part's output that are answers.
const answerMark = "answer "

// part is a started process.
type part struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// setup says what a part is to be.
type setup struct {
	Kind      string   // a key of partKinds
	Peer      string   // a key of peers
	Etcd      string   // address
	Dir       string   // of an etcd's data
	Service   string   // name, or its beginning where there are several
	Services  int      // how many
	Nodes     int      // of each service
	Addresses []string // where a peer without discovery finds its servers
}

// name returns the name of the service of that number.
func (s setup) name(i int) string {
	if s.Services <= 1 {
		return s.Service
	}
	return fmt.Sprintf("%s%d", s.Service, i)
}

// task is one thing that a part does when it is asked to.
type task func(ctx context.Context, input json.RawMessage) (any, error)

// partKinds are what a part can be: each makes the tasks, and answers what its parent has
// to know first.
var partKinds = map[string]func(context.Context, setup) (map[string]task, any, error){
	"etcd":     etcdPart,
	"server":   serverPart,
	"client":   clientPart,
	"follower": followerPart,
	"watcher":  watcherPart,
}

// servePart is the main function of a part. It returns when its input ends.
func servePart(args []string) error {
	logger.DefaultLogger = logger.NewLogger(logger.WithLevel(logger.ErrorLevel), logger.WithOutput(os.Stderr))
	var s setup
	if err := json.Unmarshal([]byte(strings.Join(args, " ")), &s); err != nil {
		return err
	}
	begin := partKinds[s.Kind]
	if begin == nil {
		return fmt.Errorf("begin a part: there is no kind %q", s.Kind)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tasks, first, err := begin(ctx, s)
	if err != nil {
		return fmt.Errorf("begin %s: %w", s.Kind, err)
	}
	if err := answer(first); err != nil {
		return err
	}
	stop, err := profile(s.Kind + s.Peer)
	if err != nil {
		return err
	}
	defer stop()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		name, input, _ := strings.Cut(lines.Text(), " ")
		do := tasks[name]
		if name == "usage" {
			do = usageTask
		}
		if do == nil {
			return fmt.Errorf("%s: there is no task %q", s.Kind, name)
		}
		result, err := do(ctx, json.RawMessage(input))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := answer(result); err != nil {
			return err
		}
	}
	return lines.Err()
}

func answer(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s%s\n", answerMark, data)
	return err
}

// start starts a part and decodes its first answer into first.
func (r *run) start(s setup, first any) (*part, error) {
	arg, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(r.ctx, self, partCommand, string(arg))
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &part{cmd: cmd, in: in, out: bufio.NewReader(out)}
	r.parts = append(r.parts, p)
	return p, p.receive(first)
}

// ask has the part do a task and decodes the result.
func (p *part) ask(task string, input, result any) error {
	data, err := json.Marshal(input)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.in, "%s %s\n", task, data); err != nil {
		return err
	}
	return p.receive(result)
}

func (p *part) receive(v any) error {
	for {
		line, err := p.out.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return errors.New("a process ended; what it said is above")
		}
		if err != nil {
			return err
		}
		if text, ok := strings.CutPrefix(line, answerMark); ok {
			return json.Unmarshal([]byte(text), v)
		}
	}
}

// stop ends the part, which ends when its input does. How it ended is of no interest
// any more.
func (p *part) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// stopParts ends all parts, the last one first.
func (r *run) stopParts() {
	for _, p := range slices.Backward(r.parts) {
		p.stop()
	}
	r.parts, r.etcd = nil, ""
}
