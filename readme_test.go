package micro_test

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeShowsTheExamples holds the README's code to the programs that are
// built and run.
func TestReadmeShowsTheExamples(t *testing.T) {
	readme := read(t, "README.md")
	service := read(t, "examples/greeter/service/main.go")
	_, service, _ = strings.Cut(service, "\n") // the package comment
	if !strings.Contains(readme, "```go\n"+service+"```") {
		t.Error("the README's service is not examples/greeter/service")
	}
	if line := strings.Count(readme[:strings.LastIndex(readme, "```")], "\n") + 1; line > 40 {
		t.Errorf("service and client end at line %d, after 40", line)
	}
	client := read(t, "examples/greeter/client/main.go")
	_, body, _ := strings.Cut(client, "func main() {\n")
	if !strings.Contains(readme, "```go\n"+strings.TrimSuffix(body, "}\n")+"```") {
		t.Error("the README's client is not examples/greeter/client")
	}
	if n := strings.Count(readme, "\n"); n > 200 {
		t.Errorf("the README has %d lines, more than 200", n)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
