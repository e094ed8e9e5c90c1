// Package secret keeps values of a configuration that only the services may read. In
// etcd, in files, in the history and in snapshots on disk such a value is a string of
// JSON that everybody may see; it is opened in the service, where the values are read.
//
// The string is described in docs/WIRE.md. It is sealed by HPKE (RFC 9180) for a public
// key: whoever has that one can write secrets, whoever has its private half can read
// them. It is bound to the path at which programs read it: see Place.
package secret

import (
	"bytes"
	"crypto/hpke"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// prefix is what a sealed value begins with. The 1 is the suite: DHKEM(X25519,
// HKDF-SHA256), HKDF-SHA256, AES-256-GCM, with what follows in sealing and padded.
const prefix = "rollcall-secret:1:"

// form is a sealed value: the id of its key, then the encapsulated key and the
// ciphertext.
var form = regexp.MustCompile(prefix + `([0-9a-f]{16}):[A-Za-z0-9_-]+`)

// shown is a sealed value with the quotes that it has in JSON.
var shown = regexp.MustCompile(`(?:\\?")?` + form.String() + `(?:\\?")?`)

// sealing is the info of RFC 9180, which has to be the same to seal and to open.
func sealing(place string) []byte { return []byte("rollcall config secret 1\n" + place) }

// Errors of Open that are found by errors.Is. Beside them stands the id of the key.
var (
	ErrNoKey  = errors.New("the key that it is sealed for is not among the keys")
	ErrOpened = errors.New("it was sealed for another path, or it is damaged; a source that strips more than /micro/config/ from its keys cannot have secrets")
)

// Is reports whether the text of a string is a sealed value.
func Is(text string) bool { return strings.HasPrefix(text, prefix) }

// KeyID returns the id of the key that a sealed value is sealed for, "" if it is damaged.
func KeyID(sealed string) string {
	m := form.FindStringSubmatch(sealed)
	if m == nil || m[0] != sealed {
		return ""
	}
	return m[1]
}

// damaged reports whether what stands behind the id of the key can be no sealed value,
// whatever the key is: it was cut short, or changed on its way.
func damaged(sealed string) bool {
	const encapsulated, tag = 32, 16
	id := KeyID(sealed)
	if id == "" {
		return true
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(sealed[len(prefix)+len(id)+1:])
	text := len(b) - encapsulated - tag
	return err != nil || text < pad || text%pad != 0
}

// Hide returns text with each sealed value in it, and its quotes, replaced by words that name its key, for
// people to read.
func Hide(text string) string { return shown.ReplaceAllString(text, "secret (key $1)") }

// Place returns what a value is bound to: the parts of its path, joined by "/". That it
// stands under /micro/config/, and which layer its key belongs to, is left out: the same
// secret is the same in every layer, in a gray value and the value it becomes. The
// elements of a list have the place of the list.
func Place(path ...string) string {
	if len(path) > 2 && path[0] == "micro" && path[1] == "config" {
		path = path[2:]
	}
	for _, layer := range []string{"_environment", "_service"} {
		if len(path) > 2 && path[0] == layer {
			path = path[2:]
		}
	}
	return strings.Join(path, "/")
}

// Seal seals a value, which is JSON, for a place.
func (k PublicKey) Seal(place string, value []byte) (string, error) {
	if !json.Valid(value) {
		return "", fmt.Errorf("seal the value of %q: it is not JSON", place)
	}
	b, err := hpke.Seal(k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), sealing(place), padded(value))
	if err != nil {
		return "", fmt.Errorf("seal the value of %q: %w", place, err)
	}
	return prefix + k.id + ":" + base64.RawURLEncoding.EncodeToString(b), nil
}

// pad is what the length of a text that is sealed is a multiple of, in bytes.
const pad = 32

// padded ends a value with spaces, which JSON allows, so that its length tells little.
func padded(value []byte) []byte {
	return append(slices.Clone(value), bytes.Repeat([]byte{' '}, (pad-len(value)%pad)%pad)...)
}

// Open returns the value, JSON, of what is sealed for a place.
func (k *PrivateKey) Open(place, sealed string) ([]byte, error) {
	id := KeyID(sealed)
	if id != k.ID() {
		return nil, fmt.Errorf("open a secret of key %q: %w", id, ErrNoKey)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(sealed[len(prefix)+len(id)+1:])
	if err == nil {
		b, err = hpke.Open(k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), sealing(place), b)
	}
	if err != nil || !json.Valid(b) {
		return nil, fmt.Errorf("open a secret of key %q at %q: %w", id, place, ErrOpened)
	}
	return bytes.TrimRight(b, " "), nil
}
