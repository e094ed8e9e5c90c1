package center

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/rollcall-go/micro/config/schema"
)

// Publisher is a service that publishes the schema of what it binds.
type Publisher struct {
	Service string `json:"service"`
	Version string `json:"version"` // as in "1.4.0"; of two others it is not known which is newer
}

// publisherField is the field of a schema that names its Publisher. JSON Schema passes
// over fields that it does not know.
const publisherField = "x-publisher"

// ErrUnpublished says that PublishSchema left the schema that is there.
var ErrUnpublished = errors.New("the schema that is there stays")

// PublishSchema sets the schema of what is at and below a key, by schema.Of, so that no
// release gives the service values that its Bind would refuse. Give the key of a layer, as
// in "_service/shop/database", where other services bind another struct to that path. It
// is meant to be called by each instance when it starts, beside Bind:
//
//   - What is there already is not written again.
//   - A newer version replaces the schema of an older one of the same service. An older
//     version leaves the schema of a newer one, and that is no error.
//   - A schema that an operator set or another service published stays, and so does one
//     of the same version, or of one that cannot be compared: ErrUnpublished.
//   - Where present values violate it, it is a SchemaError, and nothing is written.
//
// It is a release like any other, so the user needs the rights of an operator: without
// them errors.Is finds fs.ErrPermission. No error keeps a service from working: log it.
func PublishSchema[T any](ctx context.Context, c *Center, key string, by Publisher, opts ...schema.Option) error {
	fail := func(err error) error {
		return fmt.Errorf("publish the schema of %q: %w", key, err)
	}
	text, err := published[T](by, opts)
	if err != nil {
		return fail(err)
	}
	for {
		seen, err := c.GetOf(ctx, KindSchema, key)
		switch {
		case errors.Is(err, ErrNotFound):
			seen = Entry{Kind: KindSchema, Key: key}
		case err != nil:
			return fail(err)
		default:
			if replace, err := replaces(by, text, seen.Value); err != nil || !replace {
				if err != nil {
					err = fail(err)
				}
				return err
			}
		}
		_, err = c.Release(ctx, Draft{
			Who: by.Service + " " + by.Version, Comment: "publish a schema",
			Edits: []Edit{{Kind: KindSchema, Key: key, Value: &text, Seen: &seen}},
		})
		var faster *ConflictError
		switch {
		case errors.As(err, &faster):
			// Another instance published meanwhile: look again.
		case err == nil, errors.Is(err, ErrNoChange):
			return nil
		default:
			return fail(err)
		}
	}
}

// published returns the schema of a T with its publisher in it.
func published[T any](by Publisher, opts []schema.Option) (string, error) {
	if by.Service == "" {
		return "", errors.New("the publisher has no name: give that of the service")
	}
	s, err := schema.Of[T](opts...)
	if err != nil {
		return "", err
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal([]byte(s.String()), &doc); err != nil {
		return "", fmt.Errorf("read the schema of %s: %w", reflect.TypeFor[T](), err)
	}
	if doc[publisherField], err = json.Marshal(by); err != nil {
		return "", fmt.Errorf("write the publisher: %w", err)
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	return string(text), err
}

// PublishedBy returns who published a schema. It reports false for one that an operator
// set.
func PublishedBy(text string) (by Publisher, ok bool) {
	var doc struct {
		By *Publisher `json:"x-publisher"`
	}
	if json.Unmarshal([]byte(text), &doc) != nil || doc.By == nil {
		return Publisher{}, false
	}
	return *doc.By, true
}

// replaces reports whether the schema of a publisher takes the place of another one.
func replaces(by Publisher, text, there string) (bool, error) {
	if text == there {
		return false, nil
	}
	other, ok := PublishedBy(there)
	switch {
	case !ok:
		return false, fmt.Errorf("%w: an operator set it; `micro config schema del` makes room", ErrUnpublished)
	case other.Service != by.Service:
		return false, fmt.Errorf("%w: the service %q published it; publish below _service/%s/ instead", ErrUnpublished, other.Service, by.Service)
	}
	newer, ok := compareVersions(by.Version, other.Version)
	if !ok || newer == 0 {
		return false, fmt.Errorf("%w: version %q published another one, and it is not known whether version %q is newer; `micro config schema del` makes room", ErrUnpublished, other.Version, by.Version)
	}
	return newer > 0, nil
}
