package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// screen is the only way to standard output and to standard error. Much of what
// goes there was written by others, in the registry or in an answer: whatever it
// is, it reaches the terminal as text and never as a command.
type screen struct{ w io.Writer }

var _ io.Writer = screen{}

// Write writes the text p with everything replaced that is not printable, but the
// ends of lines.
func (s screen) Write(p []byte) (int, error) {
	shown := bytes.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return visible(r)
	}, p)
	if _, err := s.w.Write(shown); err != nil {
		return 0, err
	}
	return len(p), nil
}

// line writes one line, whatever is in its arguments.
func (s screen) line(format string, args ...any) {
	// There is nobody to tell that nothing can be told.
	_, _ = io.WriteString(s, printable(fmt.Sprintf(format, args...))+"\n")
}

// note writes one line of ours, an error or what else has to be said beside the
// result, and keeps passwords out of it.
func (s screen) note(format string, args ...any) { s.line("%s", redact(fmt.Sprintf(format, args...))) }

// faint writes one line that is less prominent on a terminal.
func (s screen) faint(format string, args ...any) {
	line := printable(fmt.Sprintf(format, args...))
	if s.isTerminal() && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		line = "\x1b[2m" + line + "\x1b[0m"
	}
	_, _ = io.WriteString(s.w, line+"\n")
}

// isTerminal reports whether a person reads what is written to s.
func (s screen) isTerminal() bool {
	f, ok := s.w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// visible returns what stands for a character that is to be seen. Controls, and
// characters that turn the direction of writing round or cannot be seen, are none.
func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '?'
}

// printable keeps a text on one line of a terminal.
func printable(s string) string { return strings.Map(visible, s) }

// escaped returns the JSON text with everything escaped that is not printable. Its
// meaning is the same: tabs and returns stand between its words alone.
func escaped(text []byte) []byte {
	if bytes.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) < 0 {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '\t' || r == '\r':
			out = append(out, ' ')
		case r == '\n' || unicode.IsPrint(r):
			out = append(out, text[:n]...)
		case r <= 0xFFFF:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		}
		text = text[n:]
	}
	return out
}

// credentials are user and password in a URL. An @ in a password should have been
// escaped there, and often is not.
var credentials = regexp.MustCompile(`(://)[^/\s"]*@`)

// redact leaves out what nobody is to read over somebody's shoulder.
func redact(s string) string { return credentials.ReplaceAllString(s, "$1***@") }
