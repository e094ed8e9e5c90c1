package cmd

func storePart() part {
	return part{unserved: []unserved{
		{"store", "MICRO_STORE", "", noStore},
		{"store_address", "MICRO_STORE_ADDRESS", "", noStore},
		{"store_database", "MICRO_STORE_DATABASE", "", noStore},
		{"store_table", "MICRO_STORE_TABLE", "", noStore},
	}}
}

const noStore = "a program chooses its store itself, by micro.Store"
