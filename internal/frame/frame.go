// Package frame reads what somebody else says the length of. What is read is bounded, and
// takes memory as it arrives, whatever length was announced.
package frame

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrTooLarge is wrapped by the error of a frame that is larger than allowed.
var ErrTooLarge = errors.New("the message is too large")

// Read reads a frame of n bytes, of which no more than most are allowed. One that ends early
// is an io.ErrUnexpectedEOF.
func Read(r io.Reader, n uint64, most int) ([]byte, error) {
	if n > uint64(max(most, 0)) {
		return nil, fmt.Errorf("%w: %d bytes, and %d are allowed", ErrTooLarge, n, most)
	}
	var buf bytes.Buffer
	if _, err := io.CopyN(&buf, r, int64(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return buf.Bytes(), nil
}

// ReadAll reads up to the end, and no more than most bytes.
func ReadAll(r io.Reader, most int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, min(int64(most), math.MaxInt64-1)+1))
	if err == nil && len(data) > most {
		return nil, fmt.Errorf("%w: %d bytes are allowed", ErrTooLarge, most)
	}
	return data, err
}

// Header reads the n bytes before a frame. It returns io.EOF if there is nothing any more.
func Header(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}
