package source

import (
	"context"
	"maps"
)

// Instance says who a configuration is read for: a running program, most often the node
// of a service. What is not known is empty.
type Instance struct {
	Service     string
	Node        string // the id of the node, as it is registered
	Host        string // the name of the machine, as the operating system has it
	Version     string
	Environment string
	Metadata    map[string]string // must not be modified
}

// Instanced is a Source, a Loader or a Config whose values may depend on who reads them.
type Instanced interface {
	// SetInstance says who reads. It returns at once; what becomes of the configuration
	// by it is told as any other change. The last call counts.
	SetInstance(Instance)
}

// Leaver is a Source, a Loader or a Config that tells others of the instance.
type Leaver interface {
	// Leave takes back what others are told, because the instance is about to end. It
	// returns when that is done or ctx is, with an error then. SetInstance tells them again.
	Leave(ctx context.Context) error
}

// Equal reports whether two instances are the same.
func (i Instance) Equal(o Instance) bool {
	return i.Service == o.Service && i.Node == o.Node && i.Host == o.Host && i.Version == o.Version &&
		i.Environment == o.Environment && maps.Equal(i.Metadata, o.Metadata)
}

// Or returns i with what is empty in it taken from o.
func (i Instance) Or(o Instance) Instance {
	set := func(s *string, other string) {
		if *s == "" {
			*s = other
		}
	}
	set(&i.Service, o.Service)
	set(&i.Node, o.Node)
	set(&i.Host, o.Host)
	set(&i.Version, o.Version)
	set(&i.Environment, o.Environment)
	if i.Metadata == nil {
		i.Metadata = o.Metadata
	}
	return i
}
