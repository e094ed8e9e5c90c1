// Package http has what go-micro v2's util/http has: answers in JSON, headers as
// metadata, and HTTP to services by name. It is frozen.
package http

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/rollcall-go/micro/compat/util/ctx"
)

// Write answers with a status and a body. What the other side does not take is lost: it
// has gone.
func Write(w http.ResponseWriter, contentType string, status int, body string) {
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// WriteBadRequestError answers with status 400 and the error in JSON.
func WriteBadRequestError(w http.ResponseWriter, err error) {
	writeError(w, http.StatusBadRequest, err)
}

// WriteInternalServerError answers with status 500 and the error in JSON.
func WriteInternalServerError(w http.ResponseWriter, err error) {
	writeError(w, http.StatusInternalServerError, err)
}

func writeError(w http.ResponseWriter, status int, err error) {
	body, _ := json.Marshal(map[string]string{"error": err.Error()}) // strings can always be written
	Write(w, "application/json", status, string(body))
}

// RequestToContext returns a context with the request's headers as metadata, so that
// calls made with it are authorized as the request was.
func RequestToContext(r *http.Request) context.Context { return ctx.FromRequest(r) }
