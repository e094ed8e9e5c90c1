package main

import (
	"strings"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/secret"
	"github.com/rollcall-go/micro/internal/gray"
)

// holder is a value or a gray that may have secrets in it.
type holder struct {
	center.Entry
	record gray.Record  // of a gray
	values []keyedValue // the value itself, or those that a gray has
}

// keyedValue is the text of a value, and its key.
type keyedValue struct{ key, text string }

// secretsBelow returns the values at and below a path, then the grays that have some. Of a
// gray that cannot be read it says so on standard error, and unread is true.
func (s *configSession) secretsBelow(path string) (all []holder, unread bool, err error) {
	values, err := s.List(s.Context.Context, path)
	if err != nil {
		return nil, false, err
	}
	grays, err := s.ListOf(s.Context.Context, center.KindGray, "")
	if err != nil {
		return nil, false, err
	}
	for _, e := range values {
		all = append(all, holder{Entry: e, values: []keyedValue{{e.Key, e.Value}}})
	}
	for _, e := range grays {
		h := holder{Entry: e}
		if h.record, err = gray.Decode([]byte(e.Value)); err != nil {
			stderr(s.Context).note("gray %s cannot be read, so nobody knows whether it has secrets: %v", spelledGray(e.Key), err)
			unread = true
			continue
		}
		for _, key := range h.record.Keys() {
			if text := h.record.Values[key]; text != nil && center.Within(key, path) {
				h.values = append(h.values, keyedValue{key, *text})
			}
		}
		all = append(all, h)
	}
	return all, unread, nil
}

// text returns what is to be stored.
func (h holder) text() (string, error) {
	if h.Kind == center.KindValue {
		return h.values[0].text, nil
	}
	changed := false
	record := h.record
	record.Values = make(map[string]*string, len(h.record.Values))
	for key, text := range h.record.Values {
		record.Values[key] = text
	}
	for _, one := range h.values {
		if *record.Values[one.key] != one.text {
			changed = true
			record.Values[one.key] = &one.text
		}
	}
	if !changed {
		return h.Value, nil // as it is spelled
	}
	return record.Encode()
}

// row is a secret of h as list shows it.
func (h holder) row(one keyedValue, f secret.Found) secretRow {
	row := secretRow{Kind: h.Kind, Key: h.Key, Field: f.Field, KeyID: f.KeyID}
	if h.Kind != center.KindValue {
		row.Field = strings.Trim(one.key+"/"+f.Field, "/")
	}
	return row
}

// secretRow is a secret as list shows it.
type secretRow struct {
	Kind  center.Kind `json:"kind,omitempty"`
	Key   string      `json:"key"`
	Field string      `json:"field,omitempty"`
	KeyID string      `json:"key_id"`
	Opens *bool       `json:"opens,omitempty"` // nil: there was no key to try
	Why   string      `json:"why,omitempty"`   // it does not open
}

type secretRows []secretRow

var _ result = secretRows{}

func listSecrets(s *configSession) error {
	all, _, err := s.secretsBelow(s.path())
	if err != nil {
		return err
	}
	keys := keysOf(s.Context)
	try := hasKeys(s.Context)
	rows := secretRows{}
	for _, h := range all {
		for _, one := range h.values {
			for _, f := range secret.Find(one.key, one.text) {
				row := h.row(one, f)
				if try {
					_, err := f.Open(keys)
					opens := err == nil
					if row.Opens = &opens; err != nil {
						row.Why = err.Error()
					}
				}
				rows = append(rows, row)
			}
		}
	}
	return show(s.Context, rows)
}

func (all secretRows) value() any { return []secretRow(all) }

func (all secretRows) table(w screen) error {
	if len(all) == 0 {
		w.line("no secrets")
		return nil
	}
	t := newTable(w, "", "KEY", "FIELD", "SEALED FOR", "OPENS")
	for _, r := range all {
		opens := ""
		if r.Opens != nil && *r.Opens {
			opens = "yes"
		} else if r.Opens != nil {
			opens = "no: " + r.Why
		}
		key := r.Key
		if r.Kind != center.KindValue {
			key = string(r.Kind) + " " + key
		}
		t.row(key, r.Field, r.KeyID, opens)
	}
	return t.flush()
}
