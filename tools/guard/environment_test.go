package guard

import (
	"strings"
	"testing"
)

func TestNoEnvironmentAtImport(t *testing.T) {
	found, err := EnvironmentAtImport("../..", "./...")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("importing reads the environment: %s", f)
	}
}

func TestFindsWhatWasPlanted(t *testing.T) {
	found, err := EnvironmentAtImport("testdata/planted", ".")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(found, "\n")
	for _, want := range []string{"os.LookupEnv", "os.Getenv", "os.Environ"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s was not found in:\n%s", want, all)
		}
	}
	if strings.Contains(all, "later") {
		t.Errorf("what runs after import was taken for import:\n%s", all)
	}
}
