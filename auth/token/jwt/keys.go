package jwt

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"

	"github.com/rollcall-go/micro/auth/token"
	"github.com/rollcall-go/micro/internal/reload"
)

var errNoKey = errors.New("there is no key")

type publicKey struct {
	id  string
	key *rsa.PublicKey
}

type privateKey struct {
	id  string
	key *rsa.PrivateKey
}

// keys are keys that come from a file, or stand fixed.
type keys[T any] struct {
	file  *reload.File[T] // nil: fixed, or err says why there are none
	fixed T
	err   error
}

func (k keys[T]) get() (T, error) {
	if k.file != nil {
		return k.file.Get()
	}
	return k.fixed, k.err
}

// publicKeys returns the keys that tokens are judged by.
func publicKeys(o token.Options, warn func(string)) keys[[]publicKey] {
	switch {
	case o.PublicKeyFile != "":
		return keys[[]publicKey]{file: reload.NewFile(o.PublicKeyFile, named(o.PublicKeyFile, parsePublic), warn)}
	case o.PublicKey != "":
		return fixedKeys("public", o.PublicKey, parsePublic)
	case o.PrivateKeyFile != "":
		return keys[[]publicKey]{file: reload.NewFile(o.PrivateKeyFile, named(o.PrivateKeyFile, publicHalf), warn)}
	case o.PrivateKey != "":
		return fixedKeys("private", o.PrivateKey, publicHalf)
	}
	return keys[[]publicKey]{err: fmt.Errorf("%w to judge it by: give a public one by auth.PublicKey or --auth_public_key", errNoKey)}
}

// privateKeys returns the key that tokens are signed with.
func privateKeys(o token.Options, warn func(string)) keys[*privateKey] {
	switch {
	case o.PrivateKeyFile != "":
		return keys[*privateKey]{file: reload.NewFile(o.PrivateKeyFile, named(o.PrivateKeyFile, parsePrivate), warn)}
	case o.PrivateKey != "":
		return fixedKeys("private", o.PrivateKey, parsePrivate)
	}
	return keys[*privateKey]{err: fmt.Errorf("%w to sign it with: give a private one by auth.PrivateKey or --auth_private_key", errNoKey)}
}

// fixedKeys parses keys that are PEM in base64, as v2 wants them.
func fixedKeys[T any](which, text string, parse func([]byte) (T, error)) (k keys[T]) {
	content, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		k.err = fmt.Errorf("read the %s key: want PEM in base64, as `base64 -w0 key.pem` writes it", which) // the error would show a part of it
		return k
	}
	if k.fixed, err = parse(content); err != nil {
		k.err = fmt.Errorf("read the %s key: %w", which, err)
	}
	return k
}

// named makes the errors of parse say in which file.
func named[T any](path string, parse func([]byte) (T, error)) func([]byte) (T, error) {
	return func(content []byte) (T, error) {
		made, err := parse(content)
		if err != nil {
			err = fmt.Errorf("read %q: %w", path, err)
		}
		return made, err
	}
}

// parsePublic reads one key or more. Certificates stand for theirs.
func parsePublic(content []byte) (all []publicKey, err error) {
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		key, err := publicOf(block)
		if err != nil {
			return nil, err
		}
		all = append(all, publicKey{thumbprint(key), key})
	}
	if len(all) == 0 {
		return nil, errors.New("there is no PEM in it")
	}
	return all, nil
}

func publicOf(block *pem.Block) (*rsa.PublicKey, error) {
	var parsed any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		parsed, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			parsed = c.PublicKey
		}
	default:
		return nil, fmt.Errorf("it has a %s, want a PUBLIC KEY", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("parse the %s in it: %w", block.Type, err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the %s in it is not of RSA", block.Type)
	}
	return key, nil
}

func parsePrivate(content []byte) (*privateKey, error) {
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, errors.New("there is no PEM in it")
	}
	var parsed any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("it has a %s, want a PRIVATE KEY", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the %s in it cannot be parsed", block.Type) // the error might show a part of it
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the %s in it is not of RSA", block.Type)
	}
	return &privateKey{thumbprint(&key.PublicKey), key}, nil
}

func publicHalf(content []byte) ([]publicKey, error) {
	key, err := parsePrivate(content)
	if err != nil {
		return nil, err
	}
	return []publicKey{{key.id, &key.key.PublicKey}}, nil
}

// thumbprint returns the name of a key: RFC 7638, section 3.
func thumbprint(key *rsa.PublicKey) string {
	part := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	sum := sha256.Sum256([]byte(`{"e":"` + part(big.NewInt(int64(key.E))) + `","kty":"RSA","n":"` + part(key.N) + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
