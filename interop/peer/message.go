package peer

import (
	"encoding/json"
	"time"
)

// Names of the commands.
const (
	OpStart      = "start"      // Start -> nothing, when the service serves
	OpStop       = "stop"       // Stop -> nothing, when it has stopped
	OpCall       = "call"       // Call -> the answer as JSON
	OpCount      = "count"      // Call -> the greetings of a stream of answers
	OpTalk       = "talk"       // Talk -> the greetings of a stream by hand
	OpSpeak      = "speak"      // Talk -> the greetings of a stream by generated code
	OpList       = "list"       // nothing -> []*registry.Service
	OpGet        = "get"        // Name -> []*registry.Service
	OpCached     = "cached"     // Name -> []*registry.Service, through a cache
	OpWatch      = "watch"      // Name, may be empty -> one Event after another
	OpRegister   = "register"   // Record -> nothing
	OpDeregister = "deregister" // Record -> nothing
	OpConfig     = "config"     // Config -> []Value: loads it, and reads the values
	OpPublish    = "publish"    // Publication -> nothing, when the broker has them
	OpSubscribe  = "subscribe"  // Subscription -> an empty Message, then one after another
	OpAsk        = "ask"        // Name -> Debug: asks a service about itself
	OpSign       = "sign"       // Signing -> a token
	OpJudge      = "judge"      // Judging -> the Account of a token
	OpCode       = "code"       // Coded -> Coded: a codec writes a message, or reads one
	OpEcho       = "echo"       // Carried -> Carried: listens by a transport
	OpCarry      = "carry"      // Carried -> Carried: sends messages by a transport
	OpLock       = "lock"       // Lock -> nothing, when it is held
	OpUnlock     = "unlock"     // Lock -> nothing
	OpInit       = "init"       // nothing -> nothing: gives the registry its options again
)

// command is one line of input.
type command struct {
	ID   int             `json:"id"`
	Op   string          `json:"op"`
	Body json.RawMessage `json:"body,omitempty"`
}

// reply is one line of output. The first line of all has the number 0 and says
// that the program is ready. A command that goes on, such as a watch, has many
// replies.
type reply struct {
	ID    int             `json:"id"`
	Ready bool            `json:"ready,omitempty"`
	Body  json.RawMessage `json:"body,omitempty"`
	Error *Error          `json:"error,omitempty"`
}

// Error is what a command failed with. Its first four fields are those of the
// framework's own error, where it was one.
type Error struct {
	ID     string `json:"id,omitempty"`
	Code   int32  `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
	Status string `json:"status,omitempty"`
	// Text is the error's text where it was another.
	Text string `json:"text,omitempty"`
}

// Error returns the error as JSON.
func (e *Error) Error() string {
	// A struct of strings and a number can be encoded.
	text, _ := json.Marshal(e)
	return string(text)
}

// Config says what to load, in this order, and which values to read.
type Config struct {
	JSON    []string // documents
	Files   []string
	Prefix  string // of keys in etcd, empty: none
	Strip   bool
	Encoder string // json if empty
	Paths   [][]string
}

// Value is how one value reads, each time with a default.
type Value struct {
	Bool     bool
	Int      int
	String   string
	Float    float64
	Duration time.Duration
	Slice    []string
	Map      map[string]string
	Bytes    string
}

// Service says what to start. All of it is what a program gives to its service in
// code.
type Service struct {
	Name     string            `json:"name"`
	Version  string            `json:"version,omitempty"`
	ID       string            `json:"id,omitempty"` // empty: generated
	Metadata map[string]string `json:"metadata,omitempty"`
	// Address is what to listen on; empty is a free port of the loopback.
	Address string `json:"address,omitempty"`
	// Advertise is the address to publish instead of the real one.
	Advertise string        `json:"advertise,omitempty"`
	TTL       time.Duration `json:"ttl,omitempty"`
	Interval  time.Duration `json:"interval,omitempty"`
	// Counter adds handlers with streams, and Newer one with messages of a newer
	// generator; Relay adds one that calls other services. Greeter and Plain are always
	// there.
	Counter bool `json:"counter,omitempty"`
	Newer   bool `json:"newer,omitempty"`
	Relay   bool `json:"relay,omitempty"`
	// PublicKey has the service judge calls by tokens: whoever has the scope "admin" may do
	// everything, others nothing. It is PEM in base64.
	PublicKey string `json:"public_key,omitempty"`
}

// Lock names a lock in etcd.
type Lock struct {
	Address, Name string
	TTL           time.Duration // for OpLock
}

// Account is whom a token is for.
type Account struct {
	ID, Type, Issuer string
	Scopes           []string
	Metadata         map[string]string
}

// Signing asks for a token.
type Signing struct {
	Account
	PrivateKey string // PEM in base64
	Expiry     time.Duration
}

// Judging asks whose token it is.
type Judging struct {
	PublicKey string // PEM in base64
	Token     string
}

// Name names a service.
type Name struct {
	Name string `json:"name"`
}

// Debug is what a service says about itself.
type Debug struct {
	Health                    string
	Requests, Errors, Started uint64
	Lines                     []string // of the log
	Spans                     []Span
	Values                    map[string]string // of the cache
}

// Span is one of its spans.
type Span struct {
	Trace, ID, Parent, Name string
	Outbound                bool
}

// Call says what to call.
type Call struct {
	Service  string `json:"service"`
	Endpoint string `json:"endpoint"`
	// Body is the request as JSON, whatever is sent.
	Body json.RawMessage `json:"body,omitempty"`
	// ContentType is what is sent; empty calls through the generated code, where
	// there is some for the endpoint.
	ContentType string            `json:"content_type,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Timeout     time.Duration     `json:"timeout,omitempty"`
	Address     string            `json:"address,omitempty"`
}

// Talk says which stream to open, and what to send on it. The timeout is that of the
// stream.
type Talk struct {
	Call
	Names []string `json:"names"`
}

// Record is a service to register directly, as JSON of registry.Service.
type Record struct {
	Service json.RawMessage `json:"service"`
	TTL     time.Duration   `json:"ttl,omitempty"`
}

// Event is what a watcher yielded.
type Event struct {
	Action  string          `json:"action"`
	Service json.RawMessage `json:"service"`
}

// Publication says what to publish.
type Publication struct {
	Topic  string            `json:"topic"`
	Header map[string]string `json:"header,omitempty"`
	Bodies [][]byte          `json:"bodies"`
	// Event publishes greetings of the names in Bodies with the client, with Header as
	// metadata, and not with the broker.
	Event bool `json:"event,omitempty"`
}

// Subscription says what to subscribe to.
type Subscription struct {
	Topic string `json:"topic"`
	Queue string `json:"queue,omitempty"`
	// Service is the name of a service to run that has a subscriber; without one it is
	// the broker that is subscribed to.
	Service string `json:"service,omitempty"`
}

// Message is what a subscription received.
type Message struct {
	Topic  string            `json:"topic,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   []byte            `json:"body,omitempty"`
}
