// Package xml reads and writes XML. Into structs it does as encoding/xml does; into a
// map it reads a document by a rule of its own, as configuration needs.
package xml

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"github.com/rollcall-go/micro/config/encoder"
)

type xmlEncoder struct{}

// NewEncoder returns the encoder of XML. Decoded into an any or a map, the outermost
// element is the document, whatever its name. An element that has elements or
// attributes is an object with each of them under its name, those that come several
// times as a list; any other is its text, a string without the blanks around it. The
// text beside elements and attributes stands under "#text". Names lose their
// namespace.
func NewEncoder() encoder.Encoder { return xmlEncoder{} }

func (xmlEncoder) String() string { return "xml" }

func (xmlEncoder) Encode(v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return xml.Marshal(v)
	}
	var b bytes.Buffer
	e := xml.NewEncoder(&b)
	if err := write(e, "config", m); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("write XML: %w", err)
	}
	return b.Bytes(), nil
}

func (xmlEncoder) Decode(data []byte, v any) error {
	switch v := v.(type) {
	case *map[string]any:
		read, err := document(data)
		if err != nil {
			return err
		}
		m, ok := read.(map[string]any)
		if !ok && read != "" {
			return fmt.Errorf("read XML: the document is text alone, and an object is wanted")
		}
		*v = m
		return nil
	case *any:
		read, err := document(data)
		if err != nil {
			return err
		}
		*v = read
		return nil
	}
	return xml.Unmarshal(data, v)
}
