// Package consul talks to a Consul agent over its HTTP API: the part of it that a
// registry needs. It knows no records of ours; package tags does.
//
// The formats are those of Consul's documentation, "HTTP API": agent/service,
// agent/check, catalog, health, and "blocking queries".
package consul
