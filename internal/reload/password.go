package reload

import (
	"fmt"
	"strings"
)

// Password is a password that comes from a file. Its methods may be called by
// several goroutines at once.
type Password struct{ text *File[string] }

// NewPassword returns the password in the file at path. It does not read it yet.
// warn is called with a sentence, without the password, when the file can no longer be
// used and the password read before stays in force; nil means that nobody is told.
func NewPassword(path string, warn func(text string)) *Password {
	return &Password{NewFile(path, func(content []byte) (string, error) {
		text := strings.TrimRight(string(content), "\r\n")
		if text == "" {
			return "", fmt.Errorf("read the password in %q: the file is empty", path)
		}
		return text, nil
	}, warn)}
}

// Get returns the content of the file without the end of its line.
func (p *Password) Get() (string, error) { return p.text.Get() }
