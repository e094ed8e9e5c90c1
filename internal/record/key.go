package record

import "strings"

// Root is the prefix of every record in a store with paths, such as etcd.
const Root = "/micro/registry/"

// PauseRoot is the prefix of the keys by which an operator takes nodes out. It
// lies apart from Root, which other readers list.
const PauseRoot = "/micro/rollcall/pause/"

// Key returns the key of a node's record. Names that differ only in "/" and "-"
// share one key; what a record is about is said by its value.
func Key(service, node string) string {
	return Prefix(service) + segment(node)
}

// Prefix returns the prefix of the keys of all nodes of a service, ending in "/".
func Prefix(service string) string {
	return Root + segment(service) + "/"
}

// PausePrefix returns the prefix of the pause keys of a service, ending in "/".
func PausePrefix(service string) string {
	return PauseRoot + segment(service) + "/"
}

// PauseKey returns the key whose presence keeps the node out of the registry.
func PauseKey(service, node string) string {
	return PausePrefix(service) + segment(node)
}

func segment(name string) string {
	return strings.ReplaceAll(name, "/", "-")
}
