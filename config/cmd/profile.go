package cmd

func profilePart() part {
	return part{unserved: []unserved{
		{"profile", "MICRO_DEBUG_PROFILE", "", "there is no profiler in this release; package net/http/pprof has one"},
	}}
}
