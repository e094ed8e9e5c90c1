package peer

// Coded is a message of a codec. With Read it is to be read from Wire, else to be written.
type Coded struct {
	Codec                               string
	Read                                bool
	Type                                int
	ID, Target, Method, Endpoint, Error string
	Header                              map[string]string
	Text                                string // the body
	Wire                                []byte
}

// Carried are messages of a transport.
type Carried struct {
	Transport string
	Address   string
	Bodies    [][]byte
}
