package record

// Keys of a node's metadata by which it says how it would be called. Nodes of v2 may
// have them as well; clients of v2 pass over them.
const (
	// Zone is where the node runs, any text: clients of the same zone prefer it.
	Zone = "zone"
	// Weight is the node's share of calls, next to that of others.
	Weight = "weight"
)
