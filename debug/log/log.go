// Package log keeps the newest lines of a program in memory, for whoever asks the
// service for them.
//
// What goes through package logger is written to DefaultLog as well:
//
//	records, err := log.DefaultLog.Read(log.Count(10))
//	for _, r := range records {
//		fmt.Println(log.TextFormat(r))
//	}
//
// A service hands its log to those who may call it, by Debug.Log; docs/SECURITY-MODEL.md
// says who that is and how to switch it off.
package log

import (
	"encoding/json"
	"fmt"
	"time"
)

var (
	// DefaultSize is how many records a log keeps unless Size says otherwise.
	DefaultSize = 1024
	// DefaultLog is the log that package logger writes to. It belongs to the program;
	// replace it before anything logs.
	DefaultLog = NewLog()
	// DefaultFormat is how a log is shown unless Format says otherwise.
	DefaultFormat = TextFormat
)

// Log keeps records. Its methods may be used from any goroutine.
type Log interface {
	// Read returns records that were written, the oldest first.
	Read(...ReadOption) ([]Record, error)
	// Write adds a record, which nobody may change any more.
	Write(Record) error
	// Stream delivers records as they are written. It has to be stopped.
	Stream() (Stream, error)
}

// Record is one entry of a log.
type Record struct {
	// Timestamp is when it was logged.
	Timestamp time.Time `json:"timestamp"`
	// Metadata are the fields of the entry.
	Metadata map[string]string `json:"metadata"`
	// Message is the entry itself, most often a string.
	Message any `json:"message"`
}

// Stream delivers records.
type Stream interface {
	// Chan delivers the records. It is closed when the stream ends.
	Chan() <-chan Record
	// Stop ends the stream. It may be called more than once.
	Stop() error
}

// FormatFunc writes a record as text.
type FormatFunc func(Record) string

// TextFormat writes the time and the message.
func TextFormat(r Record) string {
	return fmt.Sprintf("%s %v", r.Timestamp.Format("2006-01-02 15:04:05"), r.Message)
}

// JSONFormat writes the record as JSON, "" if the message cannot be.
func JSONFormat(r Record) string {
	text, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	return string(text)
}
