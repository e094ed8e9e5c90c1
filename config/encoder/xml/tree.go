package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/mask"
)

// text is the key of the text beside elements and attributes.
const text = "#text"

// element is an element that is being read.
type element struct {
	fields map[string]any
	text   strings.Builder
}

func (e *element) add(name string, v any) {
	if e.fields == nil {
		e.fields = make(map[string]any)
	}
	switch had := e.fields[name].(type) {
	case nil:
		e.fields[name] = v
	case []any:
		e.fields[name] = append(had, v)
	default:
		e.fields[name] = []any{had, v}
	}
}

// value is what the element says, once it is read.
func (e *element) value() any {
	said := strings.TrimSpace(e.text.String())
	if e.fields == nil {
		return said
	}
	if said != "" {
		e.add(text, said)
	}
	return e.fields
}

// document reads the outermost element. The open elements are kept in a list, so that
// a document nested without end costs no stack.
func document(data []byte) (any, error) {
	decoder := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	fail := func(err error) error {
		line, column := decoder.InputPos()
		return fmt.Errorf("read XML: line %d, column %d: %w", line, column, err)
	}
	var open []*element
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil, fail(errors.New("the document is empty"))
		} else if err != nil {
			return nil, fail(mask.Content(err))
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{}
			for _, a := range token.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					e.add(a.Name.Local, a.Value)
				}
			}
			open = append(open, e)
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text.Write(token)
			}
		case xml.EndElement:
			done := open[len(open)-1].value()
			open = open[:len(open)-1]
			if len(open) == 0 {
				return done, nil
			}
			open[len(open)-1].add(token.Name.Local, done)
		}
	}
}

// write writes v as an element, a list as several of the same name.
func write(e *xml.Encoder, name string, v any) error {
	start := xml.StartElement{Name: xml.Name{Local: name}}
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			if err := write(e, name, one); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		if err := e.EncodeToken(start); err != nil {
			return fmt.Errorf("write XML: %w", err)
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key == text {
				if err := e.EncodeToken(xml.CharData(fmt.Sprint(v[key]))); err != nil {
					return fmt.Errorf("write XML: %w", err)
				}
				continue
			}
			if err := write(e, key, v[key]); err != nil {
				return err
			}
		}
		return e.EncodeToken(start.End())
	case nil:
		return e.EncodeElement("", start)
	}
	return e.EncodeElement(fmt.Sprint(v), start)
}
