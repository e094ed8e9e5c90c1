package rpc

import "github.com/rollcall-go/micro/internal/excerpt"

// ExcerptLimit is how many bytes of what a caller sent are quoted back to it. A
// reply must not grow with a path, a content type or a number of a megabyte.
const ExcerptLimit = 200

// Excerpt returns s, or the beginning of it and its length where it is longer than
// ExcerptLimit.
func Excerpt(s string) string { return excerpt.Of(s, ExcerptLimit) }

// excerptError is an error whose text quotes too much.
type excerptError struct{ cause error }

// Error returns the beginning of the text.
func (e excerptError) Error() string { return Excerpt(e.cause.Error()) }

// Unwrap returns the error with the whole text.
func (e excerptError) Unwrap() error { return e.cause }

// shortened returns err, or one with a shorter text that wraps it.
func shortened(err error) error {
	if err == nil || len(err.Error()) <= ExcerptLimit {
		return err
	}
	return excerptError{err}
}
