package record

// TLS is the key of a node's metadata that says that the node speaks TLS. A node that
// does not have it may speak TLS all the same: those of go-micro v2 do not say.
const TLS = "tls"

// What a node says under [TLS]. Anything else that is not empty counts as TLSOnly.
const (
	// TLSOnly: it speaks nothing else.
	TLSOnly = "only"
	// TLSBoth: it takes plaintext on the same port as well.
	TLSBoth = "both"
)
