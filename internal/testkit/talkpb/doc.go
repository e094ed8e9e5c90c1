// Package talkpb is the code that go-micro v2's generator makes of the service Talk
// of package currentpb, with every kind of stream. It is for tests.
package talkpb
