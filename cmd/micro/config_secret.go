package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/secret"
)

// secretCommand groups what is done about values that only the services may read.
func secretCommand() *cli.Command {
	return &cli.Command{
		Name:  "secret",
		Usage: "keep values that only the services may read",
		Subcommands: []*cli.Command{
			{
				Name: "keygen", Usage: "make a key", ArgsUsage: "FILE", Description: `Makes a key and writes it to FILE, which only you may read: services read their secrets
with it. What is printed is its public half: who has that can write secrets, and not
read them. With --add the new key goes before those that FILE has, as the first step of
a rotation.

   micro config secret keygen shop.key
   micro config secret keygen shop.key --add`,
				Flags:  []cli.Flag{outputFlag(), &cli.BoolFlag{Name: "add", Usage: "put the key before those that FILE has", DisableDefaultText: true}},
				Before: arguments(1, 1),
				Action: makeKey,
			},
			{
				Name: "seal", Usage: "print a secret for a file", ArgsUsage: "PATH", Description: `Reads a text as "micro config secret set" does and prints what to write in its place into a
file, or into a value that has other fields. PATH is where programs read it.

   micro config secret seal database/password --public-key rollcall-public:1:...`,
				Flags:  append(sealFlags(), outputFlag()),
				Before: arguments(1, 1),
				Action: printSealed,
			},
			configSub("set", "KEY", "set a secret", `Reads a text from the terminal, which does not show it, from standard input or from a
file, and sets the key to it, sealed: one release. It is sealed for --public-key or for
the first key in --key-file.

   micro config secret set database/password --public-key rollcall-public:1:...
   pwgen 30 1 | micro config secret set database/password --key-file shop.key
   micro config secret set tls --json --from tls.json --key-file shop.key`, 1, 1, setSecret, append(writeFlags(), sealFlags()...)...),
			configSub("list", "[PATH]", "list secrets and their keys", `Lists the secrets at and below PATH with the key that each is sealed for and, with
--key-file, whether it can be opened.

   micro config secret list
   micro config secret list database --key-file shop.key`, 0, 1, listSecrets, keyFlag()),
			configSub("reveal", "KEY", "print a secret", `Prints the value of a key with its secrets open. It needs --key-file.

   micro config secret reveal database/password --key-file shop.key`, 1, 1, revealSecret, keyFlag()),
			configSub("rotate", "[PATH]", "seal all secrets for another key", `Seals each secret at and below PATH, grays too, for the first key in --key-file, or for
--public-key. It takes the other keys of the file to open them. It makes as many releases
as it needs; when it is interrupted, run it again. What it cannot open it leaves, says so
and exits with 1.

   micro config secret keygen shop.key --add     # then give the file to the services
   micro config secret rotate --key-file shop.key
   micro config secret list`, 0, 1, rotateSecrets, append(writeFlags(), keyFlag(), publicFlag())...),
		},
	}
}

func keyFlag() cli.Flag {
	return &cli.StringFlag{Name: "key-file", Category: "Keys", EnvVars: []string{secret.KeyFileVariable}, Usage: "open secrets with the keys in `FILE`"}
}

func publicFlag() cli.Flag {
	return &cli.StringFlag{Name: "public-key", Category: "Keys", EnvVars: []string{"MICRO_CONFIG_PUBLIC_KEY"}, Usage: "seal for the public `KEY`", DefaultText: "the first in --key-file"}
}

// sealFlags are the flags of what seals a text.
func sealFlags() []cli.Flag {
	return []cli.Flag{keyFlag(), publicFlag(),
		&cli.StringFlag{Name: "from", Usage: "read the text from `FILE`", DefaultText: "the terminal or standard input"},
		&cli.BoolFlag{Name: "json", Usage: "the text is JSON, and not the text of a string", DisableDefaultText: true},
	}
}

// keysOf returns the private keys that the command line names.
func keysOf(c *cli.Context) *secret.Keys {
	if path := c.String("key-file"); path != "" {
		return secret.File(path)
	}
	return secret.Environment()
}

// hasKeys reports whether somebody said where private keys are.
func hasKeys(c *cli.Context) bool {
	return c.String("key-file") != "" || os.Getenv(secret.KeyVariable) != ""
}

// sealerOf returns the public key that the command line names.
func sealerOf(c *cli.Context) (secret.PublicKey, error) {
	if text := c.String("public-key"); text != "" {
		key, err := secret.ParsePublicKey(text)
		if err != nil {
			return key, usagef("invalid value for \"--public-key\": %v", err)
		}
		return key, nil
	}
	all, err := keysOf(c).All()
	if err != nil {
		return secret.PublicKey{}, fmt.Errorf("choose the key to seal for: %w; give --public-key or --key-file, or make a key with `micro config secret keygen`", err)
	}
	return all[0].Public(), nil
}

// sealed reads a text and seals it for where programs read a key.
func sealed(c *cli.Context, key string) (string, error) {
	to, err := sealerOf(c)
	if err != nil {
		return "", err
	}
	text, err := readSecret(c, key)
	if err != nil {
		return "", err
	}
	if !c.Bool("json") {
		if text, err = json.Marshal(string(text)); err != nil {
			return "", err
		}
	} else if !json.Valid(text) {
		return "", errors.New("seal the secret: the text is not JSON")
	}
	s, err := to.Seal(secret.Place(strings.Split(strings.Trim(key, "/"), "/")...), text)
	if err != nil {
		return "", err
	}
	quoted, err := json.Marshal(s)
	return string(quoted), err
}

func printSealed(c *cli.Context) error {
	text, err := sealed(c, c.Args().First())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout(c), text)
	return err
}

func setSecret(s *configSession) error {
	key := s.Args().First()
	seen, err := s.seen(key)
	if err != nil {
		return err
	}
	value, err := sealed(s.Context, key)
	if err != nil {
		return err
	}
	edit := center.Put(key, value)
	edit.Seen = &seen
	return s.release(center.Draft{Edits: []center.Edit{edit}})
}

// seen returns the entry of a key, one without a revision if there is none.
func (s *configSession) seen(key string) (center.Entry, error) {
	e, err := s.Get(s.Context.Context, key)
	if errors.Is(err, center.ErrNotFound) {
		return center.Entry{Key: key}, nil
	}
	return e, err
}

func revealSecret(s *configSession) error {
	e, err := s.Get(s.Context.Context, s.Args().First())
	if err != nil {
		return err
	}
	if e.Value, err = secret.Reveal(e.Key, e.Value, keysOf(s.Context)); err != nil {
		return fmt.Errorf("reveal key %q: %w", e.Key, err)
	}
	return show(s.Context, oneEntry(e))
}
