package frame

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestFrames(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		n    uint64
		want string
		err  error
	}{
		"whole":           {in: "abcd", n: 3, want: "abc"},
		"empty":           {in: "abcd", n: 0, want: ""},
		"cut off":         {in: "ab", n: 3, err: io.ErrUnexpectedEOF},
		"nothing":         {in: "", n: 3, err: io.ErrUnexpectedEOF},
		"too large":       {in: "abcdefghijk", n: 11, err: ErrTooLarge},
		"a false length":  {in: "abc", n: 1 << 62, err: ErrTooLarge},
		"the last length": {in: "abcdefghij", n: 10, want: "abcdefghij"},
	} {
		got, err := Read(strings.NewReader(tc.in), tc.n, 10)
		if string(got) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := ReadAll(strings.NewReader("abc"), 3); string(got) != "abc" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ReadAll(strings.NewReader("abcd"), 3); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if got, err := ReadAll(strings.NewReader("abc"), math.MaxInt); string(got) != "abc" || err != nil {
		t.Errorf("without a bound: %q, %v", got, err)
	}
	if _, err := Header(strings.NewReader(""), 3); err != io.EOF {
		t.Error(err)
	}
	if _, err := Header(strings.NewReader("a"), 3); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
}
