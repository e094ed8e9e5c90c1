package go_api_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	api "github.com/rollcall-go/micro/compat/api/proto"
)

// TestWire holds the numbers and kinds of the fields to what v2's gateway sends.
func TestWire(t *testing.T) {
	pair := &api.Pair{Key: "k", Values: []string{"v"}}
	const pairBytes = "\x0a\x01k\x12\x01v"
	const entry = "\x0a\x01k\x12\x06" + pairBytes
	one := map[string]*api.Pair{"k": pair}
	for _, tc := range []struct {
		message proto.Message
		want    string
	}{
		{pair, pairBytes},
		{&api.Request{Method: "m", Path: "p", Header: one, Get: one, Post: one, Body: "b", Url: "u"},
			"\x0a\x01m\x12\x01p\x1a\x0b" + entry + "\x22\x0b" + entry + "\x2a\x0b" + entry + "\x32\x01b\x3a\x01u"},
		{&api.Response{StatusCode: 200, Header: one, Body: "b"}, "\x08\xc8\x01\x12\x0b" + entry + "\x1a\x01b"},
		{&api.Event{Name: "n", Id: "i", Timestamp: 5, Header: one, Data: "d"}, "\x0a\x01n\x12\x01i\x18\x05\x22\x0b" + entry + "\x2a\x01d"},
	} {
		got, err := proto.MarshalOptions{Deterministic: true}.Marshal(tc.message)
		if err != nil || string(got) != tc.want {
			t.Errorf("%T: got %q, %v, want %q", tc.message, got, err, tc.want)
		}
	}
	var r api.Response
	if err := protojson.Unmarshal([]byte(`{"statusCode":201,"header":{"k":{"key":"k","values":["v"]}}}`), &r); err != nil || r.StatusCode != 201 || r.Header["k"].Values[0] != "v" {
		t.Errorf("read %v, %v", &r, err)
	}
}
