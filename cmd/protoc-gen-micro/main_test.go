package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// The files of internal/testkit/micropb are what the generator writes. They are built
// with everything else, and used by other tests.
func TestGolden(t *testing.T) {
	const root = "../../internal/testkit"
	_, err := exec.LookPath("protoc")
	testkit.Require(t, "protoc", err)
	files := []string{
		"micropb/kinds/kinds.proto", "micropb/kinds/account.proto", "micropb/http/http.proto", "micropb/names/names.proto", "micropb/store/store.proto",
		"micropb/shared/shared.proto", // without services: there is no file for it
	}
	for file, got := range contents(t, answer(t, request(t, root, "paths=source_relative", files...))) {
		want, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is not what the generator writes: run `make generate`\n%s", file, got)
		}
	}
}

// request returns what protoc asks for the files.
func request(t *testing.T, root, parameter string, files ...string) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	set := filepath.Join(t.TempDir(), "set")
	args := append([]string{"-I", root, "-I", "../../tools/proto/include", "-I", "/usr/include",
		"--include_imports", "--include_source_info", "--descriptor_set_out=" + set}, files...)
	if out, err := exec.Command("protoc", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(set)
	if err != nil {
		t.Fatal(err)
	}
	var all descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return &pluginpb.CodeGeneratorRequest{FileToGenerate: files, Parameter: &parameter, ProtoFile: all.File}
}

// answer runs the program as protoc does.
func answer(t *testing.T, req *pluginpb.CodeGeneratorRequest) *pluginpb.CodeGeneratorResponse {
	t.Helper()
	data, err := proto.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(nil, bytes.NewReader(data), &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	rsp := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(out.Bytes(), rsp); err != nil {
		t.Fatal(err)
	}
	return rsp
}

func contents(t *testing.T, rsp *pluginpb.CodeGeneratorResponse) map[string]string {
	t.Helper()
	if rsp.Error != nil {
		t.Fatal(*rsp.Error)
	}
	all := make(map[string]string)
	for _, f := range rsp.File {
		all[f.GetName()] = f.GetContent()
	}
	return all
}

// service is a .proto file with a service and a message, both of the given names.
func service(file, name, message string, methods ...string) *descriptorpb.FileDescriptorProto {
	f := &descriptorpb.FileDescriptorProto{
		Name: proto.String(file), Package: proto.String("p"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String(message)}},
		Service:     []*descriptorpb.ServiceDescriptorProto{{Name: proto.String(name)}},
		Options:     &descriptorpb.FileOptions{GoPackage: proto.String("example.org/p")},
	}
	for _, m := range methods {
		f.Service[0].Method = append(f.Service[0].Method, &descriptorpb.MethodDescriptorProto{
			Name: proto.String(m), InputType: proto.String(".p." + message), OutputType: proto.String(".p." + message),
		})
	}
	return f
}

func ask(parameter string, files ...*descriptorpb.FileDescriptorProto) *pluginpb.CodeGeneratorRequest {
	req := &pluginpb.CodeGeneratorRequest{Parameter: &parameter, ProtoFile: files}
	for _, f := range files {
		req.FileToGenerate = append(req.FileToGenerate, f.GetName())
	}
	return req
}

func TestParameters(t *testing.T) {
	without := service("dir/a.proto", "Greeter", "M", "Hello")
	without.Options = nil
	for _, tc := range []struct {
		parameter string
		file      *descriptorpb.FileDescriptorProto
		name      string // of the file that is made
		has       string // a part of it
	}{
		{"", service("dir/a.proto", "Greeter", "M", "Hello"), "example.org/p/a.pb.micro.go", "package p"},
		{"paths=source_relative", service("dir/a.proto", "Greeter", "M", "Hello"), "dir/a.pb.micro.go", "package p"},
		{"module=example.org", service("dir/a.proto", "Greeter", "M", "Hello"), "p/a.pb.micro.go", "package p"},
		{"plugins=micro,paths=source_relative", service("dir/a.proto", "Greeter", "M", "Hello"), "dir/a.pb.micro.go", "package p"},
		{"Mdir/a.proto=example.org/q", service("dir/a.proto", "Greeter", "M", "Hello"), "example.org/q/a.pb.micro.go", "package p"},
		{"Mdir/a.proto=example.org/q", without, "example.org/q/a.pb.micro.go", "package q"},
		{"import_path=example.org/r", without, "example.org/r/a.pb.micro.go", "package r"},
		{"import_path=example.org/r,Mdir/a.proto=example.org/q", without, "example.org/q/a.pb.micro.go", "package q"},
		{"import_prefix=vendor.example/", service("dir/a.proto", "Greeter", "M", "Hello"), "example.org/p/a.pb.micro.go", `client "vendor.example/github.com/rollcall-go/micro/client"`},
		{"import_prefix=vendor.example/", service("dir/a.proto", "Greeter", "M", "Hello"), "example.org/p/a.pb.micro.go", `context "context"`},
	} {
		files := contents(t, answer(t, ask(tc.parameter, proto.CloneOf(tc.file))))
		if content, ok := files[tc.name]; !ok || !strings.Contains(content, tc.has) {
			t.Errorf("%q: want %s with %q, got %v", tc.parameter, tc.name, tc.has, files)
		}
	}
}

// What is wrong with the request is told by protoc, with what can be done.
func TestErrors(t *testing.T) {
	noPackage := service("a.proto", "Greeter", "M", "Hello")
	noPackage.Options = nil
	bare := service("a.proto", "Greeter", "M", "Hello")
	bare.Options.GoPackage = proto.String("greeterpb")
	for name, tc := range map[string]struct {
		req  *pluginpb.CodeGeneratorRequest
		want []string
	}{
		"unknown parameter":    {ask("path=source_relative", service("a.proto", "Greeter", "M", "Hello")), []string{`"path"`, "--help"}},
		"another plugin":       {ask("plugins=micro+grpc", service("a.proto", "Greeter", "M", "Hello")), []string{`"grpc"`, "--go-grpc_out"}},
		"wrong paths":          {ask("paths=relative", service("a.proto", "Greeter", "M", "Hello")), []string{`"relative"`, "source_relative"}},
		"no Go package":        {ask("", noPackage), []string{`"a.proto"`, "go_package"}},
		"a name for a path":    {ask("", bare), []string{`"greeterpb"`, "import path"}},
		"a message in the way": {ask("", service("a.proto", "Greeter", "GreeterService", "Hello")), []string{`"p.GreeterService"`, `"p.Greeter"`, "rename"}},
		"two services, one name": {ask("", service("a.proto", "Account", "M"), service("b.proto", "AccountService", "N")),
			[]string{`"p.Account"`, `"p.AccountService"`, "AccountService in Go", "rename"}},
		"two methods, one name": {ask("", service("a.proto", "Greeter", "M", "read_all", "ReadAll")), []string{`"read_all"`, `"ReadAll"`, "rename"}},
	} {
		rsp := answer(t, tc.req)
		for _, want := range tc.want {
			if !strings.Contains(rsp.GetError(), want) {
				t.Errorf("%s: %q does not name %s", name, rsp.GetError(), want)
			}
		}
		if len(rsp.File) > 0 {
			t.Errorf("%s: files beside an error", name)
		}
	}
}

func TestCommandLine(t *testing.T) {
	for _, tc := range []struct {
		args []string
		in   string
		code int
		out  string
		err  string
	}{
		{[]string{"--version"}, "", 0, "protoc-gen-micro 0.", ""},
		{[]string{"--help"}, "", 0, "--micro_out", ""},
		{[]string{"-h"}, "", 0, "--micro_out", ""},
		{[]string{"greeter.proto"}, "", 2, "", `unknown argument "greeter.proto"`},
		{[]string{"--nope"}, "", 2, "", "--help"},
		{nil, "no request", 1, "", "--micro_out"},
	} {
		var out, errs bytes.Buffer
		code := run(tc.args, strings.NewReader(tc.in), &out, &errs)
		if code != tc.code || !strings.Contains(out.String(), tc.out) || !strings.Contains(errs.String(), tc.err) {
			t.Errorf("%q: code %d, %q, %q", tc.args, code, out.String(), errs.String())
		}
	}
}

// The wire of google.api.HttpRule comes from a file that anybody may have written.
func FuzzHTTPRule(f *testing.F) {
	f.Add([]byte{0x12, 0x02, '/', 'x'})
	f.Add([]byte{0x5a, 0x04, 0x12, 0x02, '/', 'x', 0x12})
	f.Fuzz(func(t *testing.T, rule []byte) {
		var e endpoint
		e.add(rule, true)
		if (len(e.paths) == 0) != (len(e.methods) == 0) || slices.Contains(e.paths, "") || slices.Contains(e.methods, "") {
			t.Errorf("%+v", e)
		}
	})
}
