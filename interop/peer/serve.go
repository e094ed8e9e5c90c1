package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Op carries out a command. What it returns is the reply, and what it gives to
// emit before are replies too. It ends when ctx is done.
type Op func(ctx context.Context, body json.RawMessage, emit func(any)) (any, error)

// lineLimit bounds one line in either direction.
const lineLimit = 16 << 20

// Serve says that the program is ready and carries out the commands from in,
// each in a goroutine of its own, until in ends. Then their ctx is done and Serve
// waits for them.
func Serve(in io.Reader, out io.Writer, ops map[string]Op) error {
	ctx, cancel := context.WithCancel(context.Background())
	w := &writer{enc: json.NewEncoder(out)}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()

	w.write(reply{Ready: true})
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, lineLimit)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("read a command: %w", err)
		}
		op, ok := ops[c.Op]
		if !ok {
			w.fail(c.ID, fmt.Errorf("unknown command %q", c.Op))
			continue
		}
		running.Go(func() {
			result, err := op(ctx, c.Body, func(v any) { w.result(c.ID, v) })
			if err != nil {
				w.fail(c.ID, err)
				return
			}
			w.result(c.ID, result)
		})
	}
	return lines.Err()
}

// writer writes whole lines.
type writer struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func (w *writer) result(id int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		w.fail(id, err)
		return
	}
	w.write(reply{ID: id, Body: body})
}

func (w *writer) fail(id int, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Text: err.Error()}
	}
	w.write(reply{ID: id, Error: e})
}

func (w *writer) write(r reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// If the driver is gone, so is standard input, which ends Serve.
	_ = w.enc.Encode(r)
}
