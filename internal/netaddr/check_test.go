package netaddr

import "testing"

func TestCheck(t *testing.T) {
	for addr, port := range map[string]bool{
		":0": true, ":8080": true, "127.0.0.1:80": true, "localhost:80": true, "[::1]:80": true, "[fe80::1%lo]:80": true, "api.example:90": true,
		"api.example": false, "10.0.0.1": false, "::1": false, "[::1]": false, "服务:80": true,
	} {
		if err := Check(addr, port); err != nil {
			t.Errorf("%q: %v", addr, err)
		}
		if !port && Check(addr, true) == nil {
			t.Errorf("%q has a port", addr)
		}
	}
	for _, addr := range []string{"http://x", "http://x:80", "tcp://127.0.0.1:80", "a b:80", "a:b c", "x/y:80", "a:1:2", "::1:x:80", ":99999", ":-1", "x:nonsense", "[::1:80", "[x:y]:80"} {
		if Check(addr, false) == nil {
			t.Errorf("%q passes", addr)
		}
	}
}
