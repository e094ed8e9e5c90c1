package secret

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/logger"
)

// The variables that Environment reads.
const (
	KeyFileVariable = "MICRO_CONFIG_KEY_FILE"
	KeyVariable     = "MICRO_CONFIG_KEY"
)

// Keys are the private keys that a program has. Their methods may be called by several
// goroutines at once.
type Keys struct {
	get func() ([]*PrivateKey, error)
}

// Given returns keys that the program has.
func Given(keys ...*PrivateKey) *Keys {
	keys = slices.Clone(keys)
	return &Keys{func() ([]*PrivateKey, error) { return keys, nil }}
}

// File returns the keys in a file, as ParsePrivateKeys reads it. It is read when a secret
// is opened, and again when its content has changed; what cannot be used leaves the keys
// as they were, with a line in the log.
func File(path string) *Keys {
	file := reload.NewFile(path, func(content []byte) ([]*PrivateKey, error) {
		keys, err := ParsePrivateKeys(string(content))
		if err != nil {
			return nil, fmt.Errorf("read the keys in %q: %w", path, err)
		}
		return keys, nil
	}, func(text string) { logger.Warnf("Config [secret] The keys of the secrets stay as they were: %s", text) })
	return &Keys{file.Get}
}

// Environment returns the keys in the file that MICRO_CONFIG_KEY_FILE names or, without
// it, those in MICRO_CONFIG_KEY. It reads the variables now; what is wrong is told when a
// secret is opened.
func Environment() *Keys {
	if path := os.Getenv(KeyFileVariable); path != "" {
		return File(path)
	}
	text := os.Getenv(KeyVariable)
	return &Keys{func() ([]*PrivateKey, error) {
		if text == "" {
			return nil, fmt.Errorf("there are no keys: name their file by %s", KeyFileVariable)
		}
		keys, err := ParsePrivateKeys(text)
		if err != nil {
			return nil, fmt.Errorf("read the keys in %s: %w", KeyVariable, err)
		}
		return keys, nil
	}}
}

// All returns the keys, the one that seals first.
func (k *Keys) All() ([]*PrivateKey, error) { return k.get() }

// Open returns the value, JSON, of what is sealed for a place. The error has the id of
// its key, and no text of the value.
func (k *Keys) Open(place, sealed string) ([]byte, error) {
	id := KeyID(sealed)
	if id == "" {
		return nil, errors.New("open a secret: it is damaged")
	}
	all, err := k.get()
	if err != nil {
		return nil, fmt.Errorf("open a secret of key %q: %w", id, err)
	}
	for _, key := range all {
		if key.ID() == id {
			return key.Open(place, sealed)
		}
	}
	return nil, fmt.Errorf("open a secret of key %q: %w", id, ErrNoKey)
}
