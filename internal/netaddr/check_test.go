package netaddr

import "testing"

func TestCheck(t *testing.T) {
	for addr, port := range map[string]bool{
		":0": true, ":8080": true, "127.0.0.1:80": true, "localhost:80": true, "[::1]:80": true, "[fe80::1%lo]:80": true, "api.example:90": true,
		"api.example": false, "10.0.0.1": false, "::1": false, "[::1]": false, "服务:80": true,
		"[fe80::1%eth0.100]:80": true, "[fe80::1%12]:80": true, "[fe80::1%br-a_1]:80": true, "a_b.c-d:80": true, "नमस्ते.example:80": true,
	} {
		if err := Check(addr, port); err != nil {
			t.Errorf("%q: %v", addr, err)
		}
		if !port && Check(addr, true) == nil {
			t.Errorf("%q has a port", addr)
		}
	}
	for _, addr := range []string{"http://x", "http://x:80", "tcp://127.0.0.1:80", "a b:80", "a:b c", "x/y:80", "a:1:2", "::1:x:80", ":99999", ":-1", "x:nonsense", "[::1:80", "[x:y]:80",
		"a\x7f:80", "a\u0085:80", "a\u009b31m:80", "a\u202eb:80", "a\u200db:80", "a\ufeff:80", "a,b:80", "a,b", "root@a:80", "root:pw@a:80", "a!:80", "a$b:80", "a\x00b:80", "a\xffb:80",
		"[::1%\x1b[31m]:80", "[fe80::1%a b]:80", "[fe80::1%a\u202e]:80", "[fe80::1%a,b]:80", "[fe80::1%a@b]:80", "[fe80::1%\x7f]:80", "a%eth0:80", "::%\x1b[31m"} {
		if Check(addr, false) == nil {
			t.Errorf("%q passes", addr)
		}
	}
}
