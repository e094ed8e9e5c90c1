package rpc

import "google.golang.org/grpc/mem"

// Body is a value with the codec that it is to be encoded or decoded by. A
// grpc.Server has one codec for all calls; given a Body, any Codec leaves the work
// to the one inside.
type Body struct {
	Codec *Codec
	Value any

	encoded mem.BufferSlice // by Encode; nil if it was not called
}

// OfRequest begins the error of a Body that cannot be decoded. Servers alone decode
// into one, and grpc says the same of requests and of answers.
const OfRequest = "request: "

// Encode encodes the value, to be sent once, and returns the number of bytes. A
// body that is not sent after all must be given to Discard.
func (b *Body) Encode() (int, error) {
	var err error
	b.encoded, err = b.Codec.Marshal(b.Value)
	return b.encoded.Len(), err
}

// Discard gives back the memory of a body that was encoded.
func (b *Body) Discard() {
	b.encoded.Free()
	b.encoded = nil
}

// take returns what Encode made, or encodes now. The caller owns the result.
func (b *Body) take() (mem.BufferSlice, error) {
	if b.encoded == nil {
		return b.Codec.Marshal(b.Value)
	}
	data := b.encoded
	b.encoded = nil
	return data, nil
}
