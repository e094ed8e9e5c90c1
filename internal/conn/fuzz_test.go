package conn

import "testing"

// Whatever a stream is, and wherever it is cut, where its frames end is the same.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x00\x08\x06\x01\x00\x00\x00\x00rollcall\x00\x00\x00\x04\x00\x00\x00\x00\x00"), uint8(3))
	f.Add([]byte("\x00\x00\x04\x01\x00\x00\x00\x00\x01some\x00\x00\x00\x09\x04\x00\x00\x00\x01"), uint8(1))
	f.Add([]byte("\xff\xff\xff\x00\x00"), uint8(0))
	f.Add([]byte("\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x09\x06\x00\x00\x00\x00\x00123456789"), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint8) {
		var whole, cutUp frames
		whole.pass(stream)
		for rest := stream; len(rest) > 0; {
			n := min(int(cut)%17+1, len(rest))
			cutUp.pass(rest[:n])
			rest = rest[n:]
		}
		if whole != cutUp {
			t.Errorf("in one piece %+v, cut up %+v", whole, cutUp)
		}
		if whole.rest < 0 || whole.have < 0 || whole.have > len(whole.head) {
			t.Errorf("%+v", whole)
		}
	})
}
