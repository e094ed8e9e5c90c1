package txt

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// DefaultDomain is v2's. Nobody else uses it, so that nothing of a network's own
// names is in the way.
const DefaultDomain = "micro"

// Limits of names in the domain name system (RFC 1035, section 2.3.4).
const (
	maxLabel = 63
	// maxName is in a packet, where each label has its length before it, and the
	// end is marked.
	maxName = 255
)

// listing is the label under which names of services are listed.
const listing = "_services"

// Names of v2's records. They are given plain: labels joined by dots with a dot at the
// end, nothing escaped. A dot in an id or in the name of a service separates labels,
// as in v2.

// Service returns the name of the records that point to the nodes of a service. It
// fails for what cannot be a name.
func Service(service, domain string) (string, error) {
	if err := checkService(service); err != nil {
		return "", err
	}
	return join("service", service, service, domain)
}

// Instance returns the name of the records of a node. It fails for what cannot be a
// name.
func Instance(id, service, domain string) (string, error) {
	if err := checkService(service); err != nil {
		return "", err
	}
	return join("node", id, id, service, domain)
}

// Listing returns the name of the records that point to the names of all services.
func Listing(domain string) (string, error) {
	return join("domain", domain, listing, domain)
}

// Listed returns the name under which a service is listed.
func Listed(service, domain string) (string, error) {
	return join("service", service, service, listing, domain)
}

// Types returns the name under which programs that browse for everything ask which
// services there are (RFC 6763, section 9).
func Types(domain string) (string, error) {
	return join("domain", domain, listing+"._dns-sd._udp", domain)
}

// NodeID returns the id of the node whose records have the given name, false if that
// is no name of a node of this service and domain.
func NodeID(name, service, domain string) (string, bool) {
	return before(name, service+"."+domain+".")
}

// ListedName returns the name of the service that is listed under the given name,
// false if that is no such name in this domain.
func ListedName(name, domain string) (string, bool) {
	return before(name, listing+"."+domain+".")
}

// checkService refuses a service whose nodes would look like listed services.
func checkService(service string) error {
	if service == listing || strings.HasSuffix(service, "."+listing) {
		return fmt.Errorf("name service %q in multicast DNS: %q is where services are listed, use another name", service, listing)
	}
	return nil
}

func before(name, suffix string) (string, bool) {
	front, ok := strings.CutSuffix(name, "."+suffix)
	return front, ok && front != ""
}

// CheckDomain returns why names cannot be made in domain, nil if they can.
func CheckDomain(domain string) error {
	_, err := Types(domain)
	return err
}

// join makes a name of parts, each one or more labels. What and value say what it is
// for, in errors.
func join(what, value string, parts ...string) (string, error) {
	name := strings.Join(parts, ".")
	for label := range strings.SplitSeq(name, ".") {
		if why := unfit(label); why != "" {
			return "", fmt.Errorf("name %s %q in multicast DNS: in %q, %s", what, value, name, why)
		}
	}
	name += "."
	if size := len(name) + 1; size > maxName {
		return "", fmt.Errorf("name %s %q in multicast DNS: as %q it takes %d bytes, at most %d are allowed: use shorter names", what, value, name, size, maxName)
	}
	return name, nil
}

// unfit says why text between two dots cannot be a label, "" if it can.
func unfit(label string) string {
	switch {
	case label == "":
		return "there is nothing before a dot, or behind the last one"
	case len(label) > maxLabel:
		return fmt.Sprintf("there are %d bytes between two dots, at most %d are allowed: use a shorter name, or put dots into it", len(label), maxLabel)
	case !utf8.ValidString(label):
		return "there are bytes that are not UTF-8"
	case strings.ContainsFunc(label, unicode.IsControl):
		return "there is a control character"
	}
	return ""
}
