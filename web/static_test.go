package web

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func TestStaticFiles(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "html")
	for name, text := range map[string]string{
		"secret.txt":               "secret",
		"html/page.txt":            "page",
		"html/.env":                "secret",
		"html/.well-known/id":      "well known",
		"html/listed/file.txt":     "file",
		"html/indexed/index.html":  "index",
		"html/indexed/.git/config": "secret",
	} {
		at := filepath.Join(base, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(base, "secret.txt"), filepath.Join(dir, "link.txt")); err != nil {
		t.Skip(err)
	}
	s := newTest(t, newMemory(t), StaticDir(dir))
	s.HandleFunc("/handled", hello)
	start(t, s)
	root := "http://" + s.Options().Address
	for path, want := range map[string]struct {
		code int
		body string
	}{
		"/page.txt":                {http.StatusOK, "page"},
		"/indexed/":                {http.StatusOK, "index"},
		"/.well-known/id":          {http.StatusOK, "well known"},
		"/handled":                 {http.StatusOK, "hello"},
		"/listed/file.txt":         {http.StatusOK, "file"},
		"/":                        {http.StatusNotFound, ""},
		"/listed/":                 {http.StatusNotFound, ""},
		"/.env":                    {http.StatusNotFound, ""},
		"/indexed/.git/config":     {http.StatusNotFound, ""},
		"/link.txt":                {http.StatusNotFound, ""},
		"/%2e%2e/secret.txt":       {http.StatusNotFound, ""},
		"/..%2fsecret.txt":         {http.StatusNotFound, ""},
		"/listed/..%5c..%5csecret": {http.StatusNotFound, ""},
	} {
		code, body := get(t, plain(t), root+path)
		if code != want.code || want.body != "" && body != want.body {
			t.Errorf("%s: answered %d %q, want %d %q", path, code, body, want.code, want.body)
		}
	}
}

func TestAHandlerOfTheRootGoesBeforeFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "page.txt"), []byte("page"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := newTest(t, newMemory(t), StaticDir(dir))
	s.HandleFunc("/", hello)
	start(t, s)
	if _, body := get(t, plain(t), "http://"+s.Options().Address+"/page.txt"); body != "hello" {
		t.Errorf("answered %q", body)
	}
}
