package http

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	merrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/internal/excerpt"
	"github.com/rollcall-go/micro/logger"
)

// ServeHTTP takes one message: POST with the id of the subscription in the query. The
// answer, 200, says that it is in the queue of the subscription. Where v2 has an answer,
// it is v2's.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		http.Error(w, merrors.BadRequest(errorID, "Method not allowed").Error(), http.StatusMethodNotAllowed)
		return
	}
	id := req.URL.Query().Get("id")
	s := r.find(id)
	if s == nil {
		refuse(w, merrors.NotFound(errorID, "no subscription %q", excerpt.Of(id, 200)), http.StatusNotFound)
		return
	}
	d, err := r.read(w, req, s)
	if err == nil {
		err = s.take(req.Context(), req.Header.Get(keyHeader), d)
	}
	var e *merrors.Error
	switch {
	case err == nil:
	case errors.As(err, &e):
		refuse(w, err, int(e.Code))
	default:
		w.Header().Set("Retry-After", "1")
		refuse(w, merrors.New(errorID, err.Error(), http.StatusServiceUnavailable), http.StatusServiceUnavailable)
	}
}

func refuse(w http.ResponseWriter, err error, status int) {
	w.WriteHeader(status)
	// Who has gone needs no answer.
	_, _ = io.WriteString(w, err.Error())
}

// read returns the message in a request to s.
func (r *receiver) read(w http.ResponseWriter, req *http.Request, s *subscriber) (d delivery.Delivery, err error) {
	select {
	case r.reading <- struct{}{}:
		defer func() { <-r.reading }()
	case <-req.Context().Done():
		return d, req.Context().Err()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, bodyLimit(r.own.limit)))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return d, r.tooLarge(s, large.Limit)
	}
	if err != nil {
		return d, merrors.InternalServerError(errorID, "Error reading request body: %v", err)
	}
	m, topic, err := decode(r.opts.Codec, body)
	switch {
	case err != nil:
		err = merrors.InternalServerError(errorID, "Error parsing request body: %s", excerpt.Of(err.Error(), 200))
		r.handling.Failed(s.topic, nil, err)
		return d, err
	case topic == "":
		return d, merrors.InternalServerError(errorID, "Topic not found")
	case topic != s.topic:
		return d, merrors.NotFound(errorID, "the subscription is of another topic than %q", excerpt.Of(topic, 200))
	case delivery.Size(m) > r.own.limit:
		return d, r.tooLarge(s, int64(r.own.limit))
	}
	return delivery.Delivery{Topic: topic, Message: m}, nil
}

// tooLarge returns the answer to a message that is too large. The subscriber is told as
// well: publishers of v2 do not read answers.
func (r *receiver) tooLarge(s *subscriber, limit int64) error {
	err := merrors.New(errorID, "the message is larger than this subscriber takes: raise http.MaxMessageSize there", http.StatusRequestEntityTooLarge)
	if r.lines.Allow(time.Now(), linesPerSecond) {
		logger.Warnf("Broker [http] Refused a message: %s: it is larger than %d bytes", s.topic, limit)
	}
	return err
}

// take puts a delivery into the queue. What was taken already is not taken again, and
// while the same message waits, nobody can say yet what becomes of it.
func (s *subscriber) take(ctx context.Context, key string, d delivery.Delivery) error {
	switch waits, taken := s.seen.begin(key); {
	case taken:
		return nil
	case waits:
		return errWaits
	}
	err := s.put(ctx, d)
	s.seen.end(key, err == nil)
	return err
}

// put waits while the queue is full, as v2's publishers expect, who do not send again; but
// not many requests do at once.
func (s *subscriber) put(ctx context.Context, d delivery.Delivery) error {
	if s.queue.TryPut(d) {
		return nil
	}
	select {
	case s.waiters <- struct{}{}:
		defer func() { <-s.waiters }()
		wait, cancel := context.WithTimeout(ctx, defaults.PublishTimeout)
		defer cancel()
		return s.queue.Put(wait, d)
	default:
		return errBusy
	}
}

// debugLog is where net/http says what is wrong with connections, which is up to whoever
// connects.
func debugLog() *log.Logger { return log.New(debugLines{}, "", 0) }

type debugLines struct{}

func (debugLines) Write(line []byte) (int, error) {
	logger.Debugf("Broker [http] Connection failed: %s", strings.TrimSpace(string(line)))
	return len(line), nil
}
