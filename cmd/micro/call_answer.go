package main

import (
	"bytes"
	"encoding/json"
	stderrors "errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/registry"
)

// inWords returns the error of a call on one line, with what may have been meant.
func (s *session) inWords(service, endpoint string, err error) error {
	said, hint := errors.FromError(err), ""
	if meant := s.endpointMeant(service, endpoint, said.GetCode()); len(meant) > 0 {
		hint = "; did you mean " + strings.Join(meant, " or ") + "?"
	} else if strings.Contains(said.GetDetail(), "unmarshal") {
		hint = "; it was sent as " + contentType
	} else if strings.Contains(said.GetDetail(), "cardinality violation") {
		hint = `; a stream is called with "--stream"`
	}
	failed := &callError{text: fmt.Sprintf("call %q of %q: %d %s: %s (from %s)%s", endpoint, service,
		said.GetCode(), said.GetStatus(), said.GetDetail(), said.GetId(), hint)}
	if stderrors.Is(err, registry.ErrNotFound) {
		failed.cause = registry.ErrNotFound
	}
	return failed
}

// callError is the error of a call in words. Its cause is known only where it
// tells that the service is not there.
type callError struct {
	text  string
	cause error
}

func (e *callError) Error() string { return e.text }
func (e *callError) Unwrap() error { return e.cause }

// endpointMeant returns the endpoints that somebody meant who called one that the
// service has not got.
func (s *session) endpointMeant(service, endpoint string, code int32) []string {
	if s.String("address") != "" || code != http.StatusNotImplemented && code != http.StatusNotFound && code != http.StatusInternalServerError && code != http.StatusBadRequest {
		return nil
	}
	versions, err := s.registry.GetService(service, registry.GetContext(s.Context.Context))
	if err != nil {
		return nil // it is a hint and no more
	}
	var names []string
	for _, v := range versions {
		for _, e := range v.Endpoints {
			if e.Name == endpoint {
				return nil
			}
			names = append(names, e.Name)
		}
	}
	slices.Sort(names)
	return suggest(endpoint, slices.Compact(names))
}

// printRaw prints what a service answered as it came, but on a terminal as text.
func printRaw(w screen, answer []byte) error {
	to := w.w
	if w.isTerminal() {
		to = w
		if json.Valid(answer) {
			answer = escaped(answer)
		}
	}
	_, err := fmt.Fprintf(to, "%s\n", bytes.TrimRight(orEmpty(answer), "\n"))
	return err
}

// printAnswer prints what a service answered over several lines.
func printAnswer(w screen, answer []byte) error {
	var text bytes.Buffer
	if err := json.Indent(&text, orEmpty(answer), "", "  "); err != nil {
		return fmt.Errorf("it is no %s, -o json prints it as it came: %w", contentType, err)
	}
	_, err := fmt.Fprintf(w, "%s\n", bytes.TrimRight(escaped(text.Bytes()), "\n"))
	return err
}

// orEmpty returns the answer, or what a message without fields is.
func orEmpty(answer []byte) []byte {
	if len(answer) == 0 {
		return []byte("{}")
	}
	return answer
}
