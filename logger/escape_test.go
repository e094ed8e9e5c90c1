package logger

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestOneLineAMessage(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, 服务 ☺":                               "plain text, 服务 ☺",
		"a\n2026-01-01 00:00:00  level=info forged":      `a\n2026-01-01 00:00:00  level=info forged`,
		"ends with a line\n\n":                           "ends with a line",
		"a\r\nb\tc\x00d":                                 `a\r\nb\tc\x00d`,
		"\x1b]0;pwned\x07":                               `\x1b]0;pwned\x07`,
		"c1 \u009b31m, del \x7f, bidi \u202e, ls \u2028": `c1 \u009b31m, del \x7f, bidi \u202e, ls \u2028`,
		"no text \xff\x9b[31m":                           `no text \xff\x9b[31m`,
	} {
		for name, log := range map[string]func(Logger, string){
			"message":    func(l Logger, s string) { l.Log(InfoLevel, s) },
			"format":     func(l Logger, s string) { l.Logf(InfoLevel, "%s", s) },
			"error":      func(l Logger, s string) { l.Log(InfoLevel, fmt.Errorf("%s", s)) },
			"helper":     func(l Logger, s string) { NewHelper(l).Info(s) },
			"with field": func(l Logger, s string) { l.Fields(map[string]any{"k": 1}).Log(InfoLevel, s) },
		} {
			var out bytes.Buffer
			log(NewLogger(WithOutput(&out)), in)
			if !strings.HasSuffix(out.String(), " level=info "+want+"\n") || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("%s %q: got %q, want the end %q", name, in, out.String(), want)
			}
		}
	}
}

func TestFieldsAreEscaped(t *testing.T) {
	var out bytes.Buffer
	NewLogger(WithOutput(&out), WithFields(map[string]any{"na\nme": "va\x1blue"})).Fields(map[string]any{"err": fmt.Errorf("a\nb")}).Log(InfoLevel, "m")
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `na\nme=va\x1blue`) || !strings.Contains(got, `err=a\nb`) {
		t.Errorf("got %q", got)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a\nb", "\x1b[2J", "\u009b", "\xc2", "\u202e", "服务"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := escape(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q becomes %q", s, got)
		}
		if escape(got) != got {
			t.Errorf("%q is escaped again", got)
		}
	})
}
