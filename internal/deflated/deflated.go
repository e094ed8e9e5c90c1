// Package deflated writes and reads what go-micro v2 puts into multicast DNS and
// Consul: text compressed by zlib, in lower-case hexadecimal digits. What it reads
// may come from strangers.
package deflated

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrTooLarge says that there is more in a text than the caller takes: compressed, a
// thousandth of it can stand for it.
var ErrTooLarge = errors.New("it inflates to more than is taken")

// writers are used again: each takes more than half a megabyte.
var writers = sync.Pool{New: func() any { return zlib.NewWriter(io.Discard) }}

// Pack returns plain, compressed and in digits.
func Pack(plain []byte) string {
	var packed bytes.Buffer
	w := writers.Get().(*zlib.Writer)
	defer writers.Put(w)
	w.Reset(&packed)
	// Writing to memory does not fail.
	_, _ = w.Write(plain)
	_ = w.Close()
	return hex.EncodeToString(packed.Bytes())
}

// Unpack returns what is in digits, or ErrTooLarge if that has more bytes than the
// given number. Errors quote nothing of it. What is behind the end of the compressed
// bytes is passed over, as v2 does.
func Unpack(digits string, most int) ([]byte, error) { return new(Unpacker).Unpack(digits, most) }

// Unpacker unpacks many texts for a tenth of what each costs alone. The zero value is
// ready. One goroutine uses it.
type Unpacker struct{ z io.ReadCloser }

// Unpack is the function Unpack.
func (u *Unpacker) Unpack(digits string, most int) ([]byte, error) {
	packed, err := hex.DecodeString(digits)
	if err != nil {
		return nil, errors.New("it is not all hexadecimal digits, two for each byte")
	}
	if reused, ok := u.z.(zlib.Resetter); ok {
		err = reused.Reset(bytes.NewReader(packed), nil)
	} else {
		u.z, err = zlib.NewReader(bytes.NewReader(packed))
	}
	if err != nil {
		u.z = nil
		return nil, fmt.Errorf("inflate it: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(u.z, int64(most)+1))
	if len(plain) > most {
		return nil, ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("inflate it: %w", err)
	}
	return plain, nil
}
