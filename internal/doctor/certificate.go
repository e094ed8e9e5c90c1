package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"
)

// soon is how long before its end a certificate is worth a warning.
const soon = 30 * 24 * time.Hour

// secured makes a TLS handshake if TLS is asked for. It reports whether etcd asks
// for a client's certificate, and whether there is use in going on.
func (v *visit) secured(ctx context.Context, raw net.Conn) (asks, good bool) {
	if v.cfg.TLS == nil {
		return false, true
	}
	cfg := v.cfg.TLS.Clone()
	cfg.NextProtos = []string{"h2"}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = strings.Cut(hostOf(v.addr), "%") // the zone is for this host alone
	}
	own := cfg.GetClientCertificate
	cfg.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asks = true
		if own != nil {
			return own(info)
		}
		if len(cfg.Certificates) == 0 {
			return new(tls.Certificate), nil
		}
		return &cfg.Certificates[0], nil
	}
	conn := tls.Client(raw, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		v.explainHandshake(ctx, err, asks)
		return asks, false
	}
	if end := conn.ConnectionState().PeerCertificates[0].NotAfter; time.Until(end) < soon {
		v.found.warn("tls.expires_soon", v.addr, "renew the etcd's certificate", "its certificate ends on %s", end.Format(time.RFC1123))
	}
	return asks, true
}

// explainHandshake reports why the TLS handshake failed with err. asks says that etcd
// had asked for a client certificate by then.
func (v *visit) explainHandshake(ctx context.Context, err error, asks bool) {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &authority):
		v.found.problem("tls.unknown_authority", v.addr, "give the certificate of the authority that signed it with --registry_tls_ca", "its certificate is %v", authority)
	case errors.As(err, &name):
		v.found.problem("tls.wrong_name", v.addr, "use one of those names in --registry_address, say which one it has with --registry_tls_server_name, or issue a certificate with this one", "its certificate is for another name: %v", name)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		v.found.problem("tls.expired", v.addr, "renew the etcd's certificate, or correct the clock of this host", "its certificate is out of date: %v", invalid)
	case timedOut(err):
		v.silent()
	case errors.As(err, &record) || !asks && speaksPlain(ctx, v.addr):
		v.found.problem("tls.not_spoken", v.addr, "leave https:// and --registry_tls_ca out, or turn TLS on in etcd", "TLS is asked for, but it does not speak it")
	case asks:
		v.certificateRefused(err)
	default:
		v.found.problem("tls.failed", v.addr, "see the etcd's log for its side of the matter", "the TLS handshake failed: %v", err)
	}
}

// certificateRefused reports that etcd asked for a certificate and then ended the
// connection.
func (v *visit) certificateRefused(err error) {
	const fix = "give one signed by the authority that etcd trusts with --registry_tls_cert and --registry_tls_key"
	if len(v.cfg.TLS.Certificates) == 0 && v.cfg.TLS.GetClientCertificate == nil {
		v.found.problem("tls.client_certificate_missing", v.addr, fix, "etcd wants a client certificate, and none is given")
		return
	}
	if ended := v.ownEnd(); !ended.IsZero() && time.Now().After(ended) {
		v.found.problem("tls.client_certificate_expired", v.addr, "renew it in the files of --registry_tls_cert and --registry_tls_key, or correct the clock of this host",
			"the certificate shown ended at %s", ended.UTC().Format(time.RFC3339))
		return
	}
	v.found.problem("tls.client_certificate_refused", v.addr, fix, "etcd closed the connection when it had seen the client certificate: %v", err)
}

// ownEnd returns when our own certificate ends, zero if that cannot be told.
func (v *visit) ownEnd() time.Time {
	if len(v.cfg.TLS.Certificates) == 0 || len(v.cfg.TLS.Certificates[0].Certificate) == 0 {
		return time.Time{}
	}
	leaf, err := x509.ParseCertificate(v.cfg.TLS.Certificates[0].Certificate[0])
	if err != nil {
		return time.Time{}
	}
	return leaf.NotAfter
}

// speaksTLS reports whether a server that was addressed without TLS wants it.
func speaksTLS(ctx context.Context, addr string) bool {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	name, _, _ := strings.Cut(hostOf(addr), "%")
	err = tls.Client(raw, &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}).HandshakeContext(ctx)
	_ = raw.Close()
	var untrusted *tls.CertificateVerificationError // which takes a server to show one
	return err == nil || errors.As(err, &untrusted)
}

// speaksPlain reports whether a server that was addressed with TLS answers HTTP
// without.
func speaksPlain(ctx context.Context, addr string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/version", nil)
	if err != nil {
		return false
	}
	once := &http.Transport{DisableKeepAlives: true}
	answer, err := once.RoundTrip(req)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}
