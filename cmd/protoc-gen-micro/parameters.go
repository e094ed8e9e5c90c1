package main

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/pluginpb"
)

// parameters are those of the command line that protogen does not know.
type parameters struct {
	importPath   string
	importPrefix string
}

// readParameters reads the parameters of a request. What import_path says of the files
// that give no path of their own it adds to the request, in the form that protogen
// reads.
func readParameters(req *pluginpb.CodeGeneratorRequest) (*parameters, error) {
	p := &parameters{}
	mapped := make(map[string]bool)
	for param := range strings.SplitSeq(req.GetParameter(), ",") {
		name, value, _ := strings.Cut(param, "=")
		if file, ok := strings.CutPrefix(name, "M"); ok {
			mapped[file] = true
			continue
		}
		if name == "import_path" {
			p.importPath = value
		}
	}
	if p.importPath == "" {
		return p, nil
	}
	asked := make(map[string]bool)
	for _, file := range req.GetFileToGenerate() {
		asked[file] = true
	}
	text := req.GetParameter()
	for _, f := range req.GetProtoFile() {
		if file := f.GetName(); asked[file] && !mapped[file] && f.GetOptions().GetGoPackage() == "" {
			text += ",M" + file + "=" + p.importPath
		}
	}
	req.Parameter = &text
	return p, nil
}

func (p *parameters) options() protogen.Options {
	return protogen.Options{ParamFunc: p.set, ImportRewriteFunc: p.rewrite}
}

// set takes one parameter.
func (p *parameters) set(name, value string) error {
	switch name {
	case "import_path": // read before
		return nil
	case "import_prefix":
		p.importPrefix = value
		return nil
	case "plugins":
		for plugin := range strings.SplitSeq(value, "+") {
			if plugin != "" && plugin != "micro" {
				return fmt.Errorf("plugins=%s: this generator writes nothing for %q; give --%s_out or --go-%[2]s_out to protoc beside --micro_out", value, plugin, plugin)
			}
		}
		return nil
	default:
		return fmt.Errorf("unknown parameter %q: those that there are, protoc-gen-micro --help lists", name)
	}
}

// rewrite returns the path of an import with the prefix, which packages of the
// standard library do not get.
func (p *parameters) rewrite(path protogen.GoImportPath) protogen.GoImportPath {
	first, _, _ := strings.Cut(string(path), "/")
	if !strings.Contains(first, ".") {
		return path
	}
	return protogen.GoImportPath(p.importPrefix) + path
}
