package center

import (
	"context"
	"maps"

	"github.com/rollcall-go/micro/internal/lint"
)

// LintOptions say for whom a configuration is: WithoutV2 leaves out what go-micro v2 alone
// has trouble with, Stripped says that services of v2 read with StripPrefix(true), and with
// Keys secrets that are sealed for them are opened.
type LintOptions = lint.Options

// Lint returns what is wrong with the configuration: values that cannot be read, keys of
// which go-micro v2 loses some, values that schemas do not take, secrets that are not
// sealed, or cannot be opened. Values of with, which may be nil, count in the place of those that are there.
func (c *Center) Lint(ctx context.Context, o LintOptions, with Tree) ([]Finding, error) {
	s, err := c.read(ctx, 0, KindValue, KindSchema, KindGray)
	if err != nil {
		return nil, err
	}
	all := make(map[Kind]Tree)
	for _, kind := range []Kind{KindValue, KindSchema, KindGray} {
		all[kind] = make(Tree)
	}
	for i, kv := range s.items {
		all[i.kind][i.key] = string(kv.Value)
	}
	maps.Copy(all[KindValue], with)
	return lint.Config{Values: all[KindValue], Schemas: all[KindSchema], Grays: all[KindGray]}.Lint(o), nil
}
