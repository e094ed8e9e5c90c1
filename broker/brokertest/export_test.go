package brokertest

import "testing"

// RunOne runs one test of the suite.
func RunOne(t *testing.T, name string, s Suite) {
	for _, tt := range tests {
		if tt.name == name {
			tt.test(newBench(t, s))
			return
		}
	}
	t.Fatalf("the suite has no test %s", name)
}

// Names returns the names of all tests.
func Names() (all []string) {
	for _, tt := range tests {
		all = append(all, tt.name)
	}
	return all
}
