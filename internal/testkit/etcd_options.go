package testkit

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// WithQuota makes the etcd refuse writes once its database has this many bytes.
// Ours takes 16 MiB at least.
func WithQuota(bytes int64) EtcdOption {
	return func(e *Etcd) {
		flag := "--quota"
		if e.kind.upstream() {
			flag = "--quota-backend-bytes"
		}
		e.extra = append(e.extra, flag, strconv.FormatInt(bytes, 10))
	}
}

// WithAdvertise makes the etcd tell clients that it is at addr, a host:port. Give
// it after OfKind.
func WithAdvertise(addr string) EtcdOption {
	return func(e *Etcd) {
		if e.kind.upstream() {
			// The last of two flags of the same name counts.
			e.extra = append(e.extra, "--advertise-client-urls", "http://"+addr)
			return
		}
		e.extra = append(e.extra, "--advertise_address", addr)
	}
}

// WithTokenTTL makes an idle user's token end after d, a number of seconds. It is
// for Debian alone and comes after OfKind.
func WithTokenTTL(d time.Duration) EtcdOption {
	return func(e *Etcd) {
		e.extra = append(e.extra, "--auth-token-ttl", strconv.Itoa(int(d.Seconds())))
	}
}

// WithJWT makes every user's token end d after it was given, used or not. It is
// for Debian alone and comes after OfKind.
func WithJWT(t testing.TB, d time.Duration) EtcdOption {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatalf("make a key for tokens: %v", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatalf("make a key for tokens: %v", err)
	}
	dir := t.TempDir()
	files := map[string]*pem.Block{
		filepath.Join(dir, "key.pem"): {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)},
		filepath.Join(dir, "pub.pem"): {Type: "PUBLIC KEY", Bytes: public},
	}
	for path, block := range files {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatalf("make a key for tokens: %v", err)
		}
	}
	return func(e *Etcd) {
		e.extra = append(e.extra, "--auth-token", fmt.Sprintf("jwt,pub-key=%s,priv-key=%s,sign-method=RS256,ttl=%s",
			filepath.Join(dir, "pub.pem"), filepath.Join(dir, "key.pem"), d))
	}
}
