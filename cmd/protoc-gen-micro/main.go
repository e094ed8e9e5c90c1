// Command protoc-gen-micro is the plugin of protoc and buf that writes a
// .pb.micro.go file for each .proto file with services: clients that call a service
// by its name, and what registers a handler with a server.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/rollcall-go/micro/internal/defaults"
)

const usage = `protoc-gen-micro writes the code of go-micro services, beside what protoc-gen-go writes.

protoc starts it by its name, from a folder of $PATH:

    protoc --go_out=paths=source_relative:. --micro_out=paths=source_relative:. greeter.proto

Parameters, separated by commas, before the colon of --micro_out:

    paths=source_relative   put the files beside the .proto files
    paths=import            put them where their Go import path says (the default)
    module=PREFIX           take PREFIX off these paths
    Mfile.proto=PATH        the Go import path of a .proto file
    import_path=PATH        that of the files which say none
    import_prefix=PREFIX    put PREFIX before the path of every import
    plugins=micro           accepted, as v2's generator had it; says nothing

Flags:

    --version   print the version
    --help      print this text
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program. It returns the code to exit with.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	flags := flag.NewFlagSet("protoc-gen-micro", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	version := flags.Bool("version", false, "")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		fmt.Fprint(out, usage)
		return 0
	case err == nil && *version:
		fmt.Fprintln(out, "protoc-gen-micro", defaults.Version)
		return 0
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("unknown argument %q", flags.Arg(0))
		fallthrough
	case err != nil:
		fmt.Fprintf(errs, "protoc-gen-micro: %v: protoc starts this program, give parameters with --micro_out; see --help\n", err)
		return 2
	}
	if isTerminal(in) {
		fmt.Fprint(errs, "protoc-gen-micro: a request of protoc is expected on standard input: start it through protoc --micro_out; see --help\n")
		return 2
	}
	if err := serve(in, out); err != nil {
		fmt.Fprintf(errs, "protoc-gen-micro: %v\n", err)
		return 1
	}
	return 0
}

func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// serve answers one request of protoc. What is wrong with the .proto files or the
// parameters goes into the answer, for protoc to print.
func serve(in io.Reader, out io.Writer) error {
	data, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	req := &pluginpb.CodeGeneratorRequest{}
	if err := proto.Unmarshal(data, req); err != nil {
		return fmt.Errorf("read the request of protoc on standard input: %w; start this program through protoc --micro_out", err)
	}
	rsp, err := generate(req)
	if err != nil {
		text := err.Error()
		rsp = &pluginpb.CodeGeneratorResponse{Error: &text}
	}
	if data, err = proto.Marshal(rsp); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	_, err = out.Write(data)
	return err
}
