package doctor

import (
	"fmt"
	"strings"
)

const (
	// linesAKind is how many findings of a kind are listed.
	linesAKind = 10
	// namesALine is how many subjects a finding names.
	namesALine = 10
	// nameBytes and causeBytes are how much of a subject and of a cause is shown:
	// others wrote them, and nobody reads more.
	nameBytes, causeBytes = 200, 1000
)

// Brief shortens the list. Findings that differ only in the subject become one, in
// the place of the first. Of a kind with many findings it keeps the first few and adds
// one that counts the rest.
func Brief(all []Finding) []Finding {
	type same struct {
		Level
		code, cause, fix string
	}
	type kind struct {
		Level
		code string
	}
	first := make(map[same]int, len(all)) // index in out
	var out []Finding
	var subjects [][]string // of each in out
	for _, f := range all {
		k := same{f.Level, f.Code, f.Cause, f.Fix}
		i, known := first[k]
		switch {
		case !known:
			first[k] = len(out)
			out, subjects = append(out, f), append(subjects, []string{f.Subject})
		case subjects[i][len(subjects[i])-1] != f.Subject:
			subjects[i] = append(subjects[i], f.Subject)
		}
	}
	listed, rest := make(map[kind]int), make(map[kind]int)
	brief := make([]Finding, 0, len(out))
	for i, f := range out {
		k := kind{f.Level, f.Code}
		f.Subject, f.Cause = names(subjects[i]), shortened(f.Cause, causeBytes)
		switch listed[k]++; {
		case listed[k] <= linesAKind:
			brief = append(brief, f)
		case listed[k] == linesAKind+1:
			rest[k] = len(brief)
			f.Subject, f.Cause = "", "the same as those above, which stand for all"
			brief = append(brief, f)
		default:
			brief[rest[k]].More++
		}
	}
	for _, i := range rest {
		brief[i].Subject = fmt.Sprintf("and %d more", brief[i].More+1)
		if brief[i].Fix != "" {
			brief[i].Fix = "as above"
		}
	}
	return brief
}

// names lists subjects, as far as anybody wants to read them.
func names(subjects []string) string {
	var shown []string
	for _, s := range subjects[:min(len(subjects), namesALine)] {
		shown = append(shown, shortened(s, nameBytes))
	}
	text := strings.Join(shown, ", ")
	if more := len(subjects) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// shortened returns the first bytes of a text, as many as are shown.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
