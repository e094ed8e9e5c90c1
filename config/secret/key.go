package secret

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// What the texts of keys begin with. The 1 is the suite: see sealing.
const (
	publicPrefix  = "rollcall-public:1:"
	privatePrefix = "rollcall-private:1:"
)

// kem is the first part of the suite. A key of it has 32 bytes and an id that is the
// beginning of a hash of its public half.
func kem() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

const idBytes = 8

// PublicKey seals. Whoever has it can write secrets and cannot read them.
type PublicKey struct {
	id  string
	key hpke.PublicKey
}

// PrivateKey opens what its public half sealed.
type PrivateKey struct {
	public PublicKey
	key    hpke.PrivateKey
}

// NewPrivateKey makes a key.
func NewPrivateKey() (*PrivateKey, error) {
	key, err := kem().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return private(key), nil
}

func private(key hpke.PrivateKey) *PrivateKey { return &PrivateKey{public(key.PublicKey()), key} }

func public(key hpke.PublicKey) PublicKey {
	sum := sha256.Sum256(key.Bytes())
	return PublicKey{hex.EncodeToString(sum[:idBytes]), key}
}

// ID names the key in secrets, errors and lists: 16 hexadecimal digits.
func (k PublicKey) ID() string { return k.id }

// String returns the key as text, which ParsePublicKey reads. It may be shown to
// everybody.
func (k PublicKey) String() string {
	return publicPrefix + base64.RawURLEncoding.EncodeToString(k.key.Bytes())
}

// Public returns the half that seals.
func (k *PrivateKey) Public() PublicKey { return k.public }

// ID is that of the public half.
func (k *PrivateKey) ID() string { return k.public.id }

// Text returns the key as text, which ParsePrivateKey reads. Whoever has it can read the
// secrets: it belongs into a file that few may read.
func (k *PrivateKey) Text() (string, error) {
	b, err := k.key.Bytes()
	if err != nil {
		return "", fmt.Errorf("write the private key %s: %w", k.ID(), err)
	}
	return privatePrefix + base64.RawURLEncoding.EncodeToString(b), nil
}

// Format implements fmt.Formatter, so that printing a key shows which one it is and not
// what it is.
func (k *PrivateKey) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "private key %s", k.ID()) }

// ParsePublicKey reads a public key.
func ParsePublicKey(text string) (PublicKey, error) {
	b, err := decode(text, publicPrefix)
	if err != nil {
		return PublicKey{}, fmt.Errorf("read a public key: %w", err)
	}
	key, err := kem().NewPublicKey(b)
	if err != nil {
		return PublicKey{}, errors.New("read a public key: it is damaged")
	}
	return public(key), nil
}

// ParsePrivateKey reads a private key. Its errors do not repeat the text.
func ParsePrivateKey(text string) (*PrivateKey, error) {
	b, err := decode(text, privatePrefix)
	if err != nil {
		return nil, fmt.Errorf("read a private key: %w", err)
	}
	key, err := kem().NewPrivateKey(b)
	if err != nil {
		return nil, errors.New("read a private key: it is damaged")
	}
	return private(key), nil
}

// ParsePrivateKeys reads a file of keys: one a line. Empty lines, and lines that begin
// with #, say nothing. The first key is the one that seals.
func ParsePrivateKeys(text string) ([]*PrivateKey, error) {
	var all []*PrivateKey
	number := 0
	for line := range strings.Lines(text) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		key, err := ParsePrivateKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		all = append(all, key)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no private key: make one with `micro config secret keygen`")
	}
	return all, nil
}

// decode returns what stands behind a prefix. Errors say nothing of it.
func decode(text, prefix string) ([]byte, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), prefix)
	if !ok {
		return nil, fmt.Errorf("it does not begin with %q", prefix)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil {
		return nil, errors.New("it is damaged")
	}
	return b, nil
}
