package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestMove(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"go.mod": `module shop

go 1.13

require (
	github.com/micro/go-micro/v2 v2.9.1
	github.com/micro/go-plugins/registry/etcdv3/v2 v2.9.1
	github.com/micro/protoc-gen-micro/v2 v2.0.0 // indirect
	google.golang.org/grpc v1.30.0
)

replace google.golang.org/grpc => google.golang.org/grpc v1.26.0
`,
		"main.go": `// Package main says "github.com/micro/go-micro/v2" in words.
package main

import (
	"fmt"

	"github.com/micro/cli/v2"
	"github.com/micro/go-micro/v2"
	log "github.com/micro/go-micro/v2/util/log"
	"github.com/micro/go-micro/registry"
	"github.com/micro/go-micro/v2/server/mucp"
	"github.com/micro/go-plugins/registry/etcdv3/v2"
	"github.com/micro/go-plugins/micro/cors/v2"
)

const at = "github.com/micro/go-micro/v2"
`,
		"tool/go.mod": "module tool\n",
	}
	want := map[string]string{
		"go.mod": `module shop

go 1.26.0

require (
	google.golang.org/grpc v1.30.0
	github.com/rollcall-go/micro v0.0.0
)

replace github.com/rollcall-go/micro => ROOT
`,
		"main.go": `// Package main says "github.com/micro/go-micro/v2" in words.
package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
	"github.com/rollcall-go/micro"
	log "github.com/rollcall-go/micro/compat/util/log"
	"github.com/rollcall-go/micro/registry"
	"github.com/micro/go-micro/v2/server/mucp"
	etcdv3 "github.com/rollcall-go/micro/registry/etcd"
	"github.com/micro/go-plugins/micro/cors/v2"
)

const at = "github.com/micro/go-micro/v2"
`,
		"tool/go.mod": "module tool\n",
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join(dir, "checkout")
	for range 2 { // what was changed stays so
		if err := run(root, []string{dir}); err != nil {
			t.Fatal(err)
		}
		for name := range files {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if w := strings.ReplaceAll(want[name], "ROOT", root); string(got) != w {
				t.Errorf("%s is\n%s\nwant\n%s", name, got, w)
			}
		}
	}
}
