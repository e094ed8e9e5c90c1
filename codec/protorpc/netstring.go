package protorpc

import (
	"encoding/binary"
	"io"

	"github.com/rollcall-go/micro/internal/frame"
)

// MaxMessageSize is the largest string that is read, in bytes. It belongs to the program.
var MaxMessageSize = 16 << 20

// WriteNetString writes data with its length before it, four bytes of it, the highest first.
// It returns how many bytes were written.
func WriteNetString(w io.Writer, data []byte) (written int, err error) {
	return w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(data)), uint32(len(data))), data...))
}

// ReadNetString reads what WriteNetString wrote. It returns io.EOF if there is nothing any
// more, and io.ErrUnexpectedEOF if there is less than the length says.
func ReadNetString(r io.Reader) (data []byte, err error) {
	size, err := frame.Header(r, 4)
	if err != nil {
		return nil, err
	}
	return frame.Read(r, uint64(binary.BigEndian.Uint32(size)), MaxMessageSize)
}
