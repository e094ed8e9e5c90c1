package cmd

func tracerPart() part {
	return part{unserved: []unserved{
		{"tracer", "MICRO_TRACER", "", "there is no tracer in this release"},
		{"tracer_address", "MICRO_TRACER_ADDRESS", "", "there is no tracer in this release"},
	}}
}
