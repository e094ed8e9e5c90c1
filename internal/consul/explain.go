package consul

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"unicode"

	"github.com/rollcall-go/micro/internal/refusal"
)

// StatusError is an answer other than 200.
type StatusError struct {
	Code int
	text string
	// stranger says that what answered is no Consul agent.
	stranger bool
	header   http.Header
}

func (e *StatusError) Error() string { return e.text }

// Unknown reports whether the agent answered that it does not know what it was asked
// about. Consul up to 1.12 says so by 500 for a check that is not there.
func Unknown(err error) bool {
	var status *StatusError
	if !errors.As(err, &status) {
		return false
	}
	return status.Code == http.StatusNotFound ||
		status.Code == http.StatusInternalServerError && (strings.Contains(status.text, "does not have associated TTL") || strings.Contains(status.text, "Unknown check ID"))
}

// Crowded reports whether the agent has too many connections from here.
func Crowded(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code == http.StatusTooManyRequests && !status.stranger
}

// refused explains an answer that is an error.
func refused(t target, needs string, answer *http.Response, text string) error {
	said := shorten(text)
	e := &StatusError{Code: answer.StatusCode, header: answer.Header}
	at := fmt.Sprintf("Consul at %q answers %d", t.text, e.Code)
	switch {
	case isHTML(answer, text) || e.Code >= 300 && e.Code < 400:
		e.stranger = true
		e.text = fmt.Sprintf("what answers at %q is not a Consul agent (status %d, %s): give the address of its HTTP port, by default 8500", t.text, e.Code, contentType(answer))
	case e.Code == http.StatusForbidden && strings.Contains(text, "ACL not found"):
		e.text = at + ", it does not know the token: give a valid one (CONSUL_HTTP_TOKEN)"
		return refusal.Mark(refusal.Login, e)
	case e.Code == http.StatusForbidden:
		e.text = fmt.Sprintf("%s, %s: the token lacks a right", at, said)
		if needs != "" {
			e.text += ", this takes " + needs
		}
		e.text += "; without CONSUL_HTTP_TOKEN it is that of everybody"
		return refusal.Mark(refusal.Right, e)
	case e.Code == http.StatusUnauthorized:
		e.text = at + ": what is before the agent wants a login (CONSUL_HTTP_AUTH)"
		return refusal.Mark(refusal.Login, e)
	case e.Code == http.StatusBadRequest && strings.Contains(text, "HTTPS server"):
		e.text = fmt.Sprintf("Consul at %q wants TLS: write https:// before the address", t.text)
		return refusal.Mark(refusal.Mismatch, e)
	case strings.Contains(text, "No cluster leader"):
		e.text = at + ": its servers have no leader at present; if that lasts, see to them (consul operator raft list-peers)"
	case strings.Contains(text, "No path to datacenter"):
		e.text = fmt.Sprintf("%s, %s: no server of that datacenter is known; choose another one", at, said)
	case e.Code == http.StatusTooManyRequests:
		e.text = at + ": it has too many connections from here (limits.http_max_conns_per_client)"
	default:
		e.text = fmt.Sprintf("%s: %s", at, said)
	}
	return e
}

// stranger explains an answer with status 200 that cannot be read.
func stranger(t target, answer *http.Response, err error) error {
	if errors.Is(err, errTooLarge) {
		return fmt.Errorf("read the answer of Consul at %q: %w", t.text, err)
	}
	return &StatusError{Code: answer.StatusCode, stranger: true,
		text: fmt.Sprintf("what answers at %q is not a Consul agent (%s, %v): give the address of its HTTP port, by default 8500", t.text, contentType(answer), err)}
}

// explain says why no answer came. cause is why the attempt was given up, if it was.
func explain(t target, err, cause error) error {
	if cause != nil {
		return fmt.Errorf("ask Consul at %q: %w", t.text, cause)
	}
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	var alert tls.AlertError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &record):
		return refusal.Mark(refusal.Mismatch, fmt.Errorf("ask Consul at %q: it speaks no TLS: leave https out: %w", t.text, err))
	case errors.As(err, &dns) && dns.IsNotFound,
		errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &alert):
		return refusal.Mark(refusal.Mismatch, fmt.Errorf("ask Consul at %q: %w", t.text, err))
	}
	return fmt.Errorf("ask Consul at %q: %w", t.text, err)
}

func isHTML(answer *http.Response, text string) bool {
	return strings.Contains(contentType(answer), "html") || strings.HasPrefix(strings.TrimSpace(text), "<")
}

func contentType(answer *http.Response) string {
	if t := answer.Header.Get("Content-Type"); t != "" {
		return shorten(t)
	}
	return "no content type"
}

// shorten makes foreign text fit for one line.
func shorten(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "..."
	}
	if text == "" {
		return "(without a word)"
	}
	return text
}

// Forbidden reports whether the token lacks a right.
func Forbidden(err error) bool { return refusal.Of(err) == refusal.Right }
