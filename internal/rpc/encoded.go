package rpc

import (
	"strings"
	"unicode/utf8"

	"github.com/rollcall-go/micro/metadata"
)

// textOf returns the values of a header as one. Like every text that comes from
// outside it is UTF-8; only a key that says so holds bytes.
func textOf(key string, values []string) string {
	v := strings.Join(values, ", ")
	if strings.HasSuffix(key, "-bin") {
		return v
	}
	return strings.ToValidUTF8(v, "\uFFFD")
}

// decode undoes the encoding of the headers that EncodedHeader lists, each once,
// and the time it takes grows with the size of the headers alone: of a list that is
// longer than there are headers, which no client of ours sends, the rest is not
// read. A value that is no text when decoded stays as it is.
func decode(md metadata.Metadata, headers int) {
	list, ok := md[EncodedHeader]
	if !ok {
		return
	}
	decoded := make(map[string]bool)
	for key := range strings.SplitSeq(list, ",") {
		if headers--; headers < 0 {
			return
		}
		key = strings.TrimSpace(key)
		v, ok := md[key]
		if !ok || decoded[key] {
			continue
		}
		decoded[key] = true
		if plain := percentDecode(v); utf8.ValidString(plain) {
			md[key] = plain
		}
	}
}

func printable(v string) bool {
	for i := 0; i < len(v); i++ {
		if v[i] < ' ' || v[i] > '~' {
			return false
		}
	}
	return true
}

const hexDigits = "0123456789ABCDEF"

// percentEncode writes every byte that is not printable ASCII, and the per cent
// sign, as %XX.
func percentEncode(v string) string {
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' || c > '~' || c == '%' {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// percentDecode undoes percentEncode. What is no %XX stays as it is.
func percentDecode(v string) string {
	if !strings.Contains(v, "%") {
		return v
	}
	var b strings.Builder
	b.Grow(len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '%' && i+2 < len(v) {
			high, low := hexValue(v[i+1]), hexValue(v[i+2])
			if high >= 0 && low >= 0 {
				b.WriteByte(byte(high<<4 | low))
				i += 2
				continue
			}
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

// hexValue returns the value of a hexadecimal digit, negative for any other byte.
func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	default:
		return -1
	}
}
