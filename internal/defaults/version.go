package defaults

// Version is the version of this module, as every node registered by it says in
// its metadata.
const Version = "0.1.0"
