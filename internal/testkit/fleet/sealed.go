package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strings"

	"github.com/google/uuid"
)

// sealLength is that of the checksum in front of a sealed text.
const sealLength = 16

// Seal returns a text that nobody else sends, with its checksum in front: about as many
// bytes as asked for.
func Seal(size int) string {
	text := uuid.NewString() + strings.Repeat("服 x", size/5)
	return checksum(text) + text
}

// sealed tells whether a text is as Seal made it.
func sealed(text string) bool {
	return len(text) > sealLength && checksum(text[sealLength:]) == text[:sealLength]
}

// checksum returns that of some texts in a row.
func checksum(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		h.Write([]byte(t)) // never fails
	}
	return hex.EncodeToString(h.Sum(nil))[:sealLength]
}

// anySize returns a size of a payload: most are small, some are larger than a frame of
// HTTP/2.
func anySize() int {
	if rand.IntN(4) == 0 {
		return rand.IntN(48 << 10)
	}
	return rand.IntN(512)
}
