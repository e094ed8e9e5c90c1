package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// service is a small service of generated code.
const service = `package main

import (
	"context"
	"log"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/examples/proto/greeterpb"
)

type greeter struct{}

func (greeter) Hello(_ context.Context, in *greeterpb.HelloRequest, out *greeterpb.HelloReply) error {
	out.Greeting = "Hello " + in.Name
	return nil
}

func (greeter) Party(context.Context, greeterpb.Greeter_PartyStream) error { return nil }

func main() {
	s := micro.NewService(micro.Name("greeter"))
	s.Init()
	if err := greeterpb.RegisterGreeterHandler(s.Server(), greeter{}); err != nil {
		log.Fatal(err)
	}
	if err := s.Run(); err != nil {
		log.Fatal(err)
	}
}
`

// size builds a small service and looks at what came of it.
func size(r *run) error {
	house, err := goIn(r, ".", "list", "-m", "-f", "{{.Dir}}", "github.com/rollcall-go/micro")
	if err != nil {
		return err
	}
	dir := filepath.Join(r.dir, "service")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	mod := fmt.Sprintf("module example.org/service\n\ngo 1.26.0\n\nrequire github.com/rollcall-go/micro v0.0.0\n\nreplace github.com/rollcall-go/micro => %s\n", house)
	sums, err := os.ReadFile(filepath.Join(house, "go.sum"))
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"main.go": service, "go.mod": mod, "go.sum": string(sums)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if _, err := goIn(r, dir, "mod", "tidy"); err != nil {
		return err
	}
	if _, err := goIn(r, dir, "build", "-trimpath", "-ldflags=-s -w", "-o", "service", "."); err != nil {
		return err
	}
	built, err := os.Stat(filepath.Join(dir, "service"))
	if err != nil {
		return err
	}
	linked, err := goIn(r, dir, "version", "-m", "service")
	if err != nil {
		return err
	}
	listed, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	fmt.Printf("Stripped: %.1f MB. Modules in its go.mod: %d. Modules linked: %d:\n\n```\n",
		float64(built.Size())/1e6, strings.Count(string(listed), "\n\t"), strings.Count(linked, "\n\tdep\t"))
	for line := range strings.Lines(linked) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "dep" {
			fmt.Println(f[1], f[2])
		}
	}
	fmt.Println("```")
	return nil
}

// goIn runs the go command in a directory and returns what it prints.
func goIn(r *run, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(r.ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off")
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", args[0], err, failed.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
