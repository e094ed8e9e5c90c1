package source

// Applied says what became of what a Source gave.
type Applied struct {
	// Set is the newest of its change sets that is in force, nil if none is.
	Set *ChangeSet
	// Err says why a newer one is not, nil if there is none.
	Err error
	// Values are those of Set that do not count, as a secret that cannot be opened: the
	// last good one of each stays.
	Values []Refused
	// Parts are those of the program that do not take the configuration in force and stay
	// at an earlier one.
	Parts []RefusedPart
}

// RefusedPart is a part of the program that does not take its value.
type RefusedPart struct {
	Path []string // of the value, empty for the whole
	Err  error
}

// Informed is a Source that wants to know what becomes of what it gives.
type Informed interface {
	// SetApplied says what is in force, each time that may be something else. A change
	// set counts as in force once every part of the program that follows its value by
	// config.Bind has taken or refused it. It must return at once and must not call the
	// configuration.
	SetApplied(Applied)
}
