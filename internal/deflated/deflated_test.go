package deflated

import (
	"errors"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestThereAndBack(t *testing.T) {
	for _, plain := range []string{"", "1.0.0", strings.Repeat("服务", 10_000)} {
		digits := Pack([]byte(plain))
		if got, err := Unpack(digits, len(plain)); err != nil || string(got) != plain {
			t.Errorf("%d bytes became %d, %v", len(plain), len(got), err)
		}
		if _, err := Unpack(digits+"00ff", len(plain)); err != nil {
			t.Errorf("what is behind the end is not passed over: %v", err)
		}
		if len(plain) == 0 {
			continue
		}
		if _, err := Unpack(digits, len(plain)-1); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d bytes, where one less is taken: %v", len(plain), err)
		}
	}
}

// What v2's plugin for Consul wrote for version 1.0.0.
func TestAsV2(t *testing.T) {
	const v2 = "789c32d433d03300040000ffff02ce00ee"
	if got := Pack([]byte("1.0.0")); got != v2 {
		t.Errorf("got %s, want %s", got, v2)
	}
}

func TestGarbage(t *testing.T) {
	var u Unpacker // goes on after what it cannot read
	for _, digits := range []string{"", "7", "hello", "00112233", Pack([]byte("hello"))[:8], "789C"} {
		if got, err := Unpack(digits, 100); err == nil {
			t.Errorf("%q gives %q", digits, got)
		}
		if got, err := u.Unpack(digits, 100); err == nil {
			t.Errorf("%q gives %q, after others", digits, got)
		}
		if got, err := u.Unpack(Pack([]byte("good")), 4); err != nil || string(got) != "good" {
			t.Errorf("after %q: %q, %v", digits, got, err)
		}
	}
}

func TestShape(t *testing.T) {
	var s Shape
	for range 9 {
		if err := s.Add([]byte(`{"a":[` + strings.Repeat("1,", 10_000) + `1]}`)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Add([]byte(`[` + strings.Repeat("1,", 10_000) + `1]`)); err == nil {
		t.Error("many texts may have more elements together than one")
	}
	if err := new(Shape).Add([]byte(strings.Repeat("[", 100))); err == nil {
		t.Error("100 levels are not too deep")
	}
}
