package rpc

import (
	"fmt"
	"strings"
)

// Path returns the gRPC path of an endpoint. Type.Method becomes
// /service.Type/Method, or /Type/Method without a service. Anything else, a path
// that is spelled out included, is returned as it is.
func Path(service, endpoint string) string {
	typ, method, ok := strings.Cut(endpoint, ".")
	if !ok || endpoint[0] == '/' || strings.Contains(method, ".") {
		return endpoint
	}
	if service == "" {
		return "/" + typ + "/" + method
	}
	return "/" + service + "." + typ + "/" + method
}

// SplitPath returns the handler and the method that a gRPC path names. Whatever
// stands before the last dot of the handler's part is left out: callers put the
// name of a service, which may hold slashes, or of a protobuf package there.
func SplitPath(path string) (handler, method string, err error) {
	full, method, err := cutPath(path)
	if err != nil {
		return "", "", err
	}
	return full[strings.LastIndexByte(full, '.')+1:], method, nil
}

// PathPrefix returns what SplitPath leaves out: the service, for a path that Path
// made. It is empty if there is none.
func PathPrefix(path string) string {
	full, _, err := cutPath(path)
	if err != nil {
		return ""
	}
	return full[:max(strings.LastIndexByte(full, '.'), 0)]
}

// cutPath cuts a path at its last slash, as grpc itself does.
func cutPath(path string) (full, method string, err error) {
	if slash := strings.LastIndexByte(path, '/'); slash > 0 && path[0] == '/' {
		full, method = path[1:slash], path[slash+1:]
	}
	handler := full[strings.LastIndexByte(full, '.')+1:]
	if handler == "" || method == "" || strings.Contains(handler, "/") {
		return "", "", fmt.Errorf("malformed method name: %q", Excerpt(path))
	}
	return full, method, nil
}

// GoName returns the Go name that the protobuf generators give to a name: a
// client by v2's generator calls read_all what its handler has as ReadAll.
func GoName(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '_' && i == 0:
			b = append(b, 'X')
		case c == '_' && i+1 < len(s) && isLower(s[i+1]):
		case isLower(c) && (i == 0 || !isLetter(s[i-1])):
			b = append(b, c-'a'+'A')
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

func isLower(c byte) bool  { return 'a' <= c && c <= 'z' }
func isLetter(c byte) bool { return isLower(c | 0x20) }
