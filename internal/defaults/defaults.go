// Package defaults holds the numbers that apply when nobody says otherwise, and
// the hooks through which a contract finds its implementation.
//
// It lies below every contract and imports none of them.
package defaults

import "time"

// Registration.
const (
	// RegisterTTL is how long a registration outlives its last renewal.
	RegisterTTL = 15 * time.Second
	// RegisterInterval is the time between two checks that the registration still
	// stands.
	RegisterInterval = 30 * time.Second
	// RegistryTimeout bounds one operation of a registry.
	RegistryTimeout = 5 * time.Second
)

// Calls.
const (
	// DialTimeout is what the options of a client say about the making of a
	// connection, unless told otherwise. client/grpc takes it for nothing said and
	// applies NodeConnectTimeout.
	DialTimeout = 5 * time.Second
	// RequestTimeout bounds a call whose context has no deadline, all its attempts
	// together.
	RequestTimeout = 5 * time.Second
	// Retries is how many times a failed call may be tried again.
	Retries int = 1
	// RetryBudget is how many percent of the calls to a service may be retried after a
	// handler may have run.
	RetryBudget int = 20
	// NodeBaseDelay is the wait before the second attempt to connect to a node.
	NodeBaseDelay = 100 * time.Millisecond
	// NodeMaxDelay is the longest wait between attempts to connect to a node, some
	// jitter aside: a lone node that comes back is called again about as soon.
	NodeMaxDelay = time.Second
	// NodeConnectTimeout bounds one attempt to connect to a node where nobody asked
	// for another bound. It is well below RequestTimeout, so that a call to a host
	// that swallows packets is left time to go elsewhere.
	NodeConnectTimeout = 2 * time.Second
	// NodeSilence is how long nothing may be received from a node under calls that
	// wait, nor be answered by it on a connection of its own, before it is called
	// after all others.
	NodeSilence = 500 * time.Millisecond
	// NodePulse is how often a connection whose streams rest is looked at. It is no
	// shorter than KeepaliveMinTime.
	NodePulse = 5 * time.Second
	// PoolSize is how many connections there may be to one node whose server limits
	// the calls on each.
	PoolSize int = 4
	// ConnCloseDelay is the longest time that the connection of a node that left
	// stays open once its calls have ended.
	ConnCloseDelay = 5 * time.Second
	// ZoneThreshold is how many healthy nodes the zone of a client has to have to get
	// all of its calls, in percent of what a zone has on average.
	ZoneThreshold int = 50
	// SubsetAbove is how many nodes a service may have of which clients call all,
	// though they are told to call a subset.
	SubsetAbove int = 100
)

// Serving.
const (
	// HandshakeTimeout is how long a connection may take from its first byte to the end of
	// its handshakes, of TLS and of HTTP/2. Others are not held up meanwhile.
	HandshakeTimeout = 10 * time.Second
	// RegistrationWait is how long a starting server waits for its first registration
	// before it goes on and registers beside.
	RegistrationWait = time.Second
	// MaxHeaderListSize limits the headers of one request or answer: names, values and 32 bytes
	// for each.
	MaxHeaderListSize = 256 << 10
	// MaxConcurrentStreams limits the calls in flight on one connection.
	MaxConcurrentStreams = 1000
	// PanicStacksPerSecond is how many panics of one server are logged with their
	// stacks. A caller who finds a handler that panics must not fill the disk with it.
	PanicStacksPerSecond = 5
	// PanicTextSize is how many bytes of what a handler panics with are logged: it may
	// be the request, which is up to the caller.
	PanicTextSize = 2 << 10
	// ClientProbeTime is the silence on a connection after which the server asks
	// whether its client is still there, ClientProbeTimeout how long the answer may take.
	// Connections of hosts that vanished do not stay.
	ClientProbeTime    = time.Minute
	ClientProbeTimeout = 20 * time.Second
	// DeregisterTimeout is how long a stopping server waits for the registry to
	// let it go.
	DeregisterTimeout = 3 * time.Second
	// DeregisterDelay is how long a server that has deregistered goes on taking calls, so
	// that clients can hear of it.
	DeregisterDelay = 200 * time.Millisecond
	// KeepaliveMinTime is the shortest time between two probes that a client may
	// send on one connection.
	KeepaliveMinTime = 5 * time.Second
	// StopGrace is how long a stopping server waits for the calls in flight.
	StopGrace = 10 * time.Second
	// MaxRecvMsgSize is the largest message accepted, in bytes.
	MaxRecvMsgSize int = 4 << 20
	// MaxSendMsgSize is the largest message sent, in bytes.
	MaxSendMsgSize int = 4 << 20
)

// Events.
const (
	// SubscriptionMessages and SubscriptionBytes limit what waits for the handler of one
	// subscription, and for one subscription at a publisher.
	SubscriptionMessages int = 1024
	SubscriptionBytes    int = 16 << 20
	// PublishTimeout is how long a publication waits whose context has no deadline.
	PublishTimeout = 5 * time.Second
	// SubscribeWait is how long a starting server waits for its broker before it registers.
	SubscribeWait = 500 * time.Millisecond
	// BrokerBaseDelay bounds the wait before the second attempt to subscribe,
	// BrokerMaxDelay every other.
	BrokerBaseDelay = 100 * time.Millisecond
	BrokerMaxDelay  = time.Second
	// DisconnectTimeout is how much longer than the broker's grace a stopping server waits
	// for its broker to let it go.
	DisconnectTimeout = time.Second
)

// Connections to etcd.
const (
	// EtcdBaseDelay is the wait before the second attempt to connect.
	EtcdBaseDelay = 100 * time.Millisecond
	// EtcdMaxDelay is the longest wait between attempts to connect.
	EtcdMaxDelay = time.Second
	// EtcdMinConnectTimeout is the least time that one attempt to connect is given.
	EtcdMinConnectTimeout = 2 * time.Second
	// EtcdMembersEvery is how often the addresses of etcd that were given are compared
	// with those of its members.
	EtcdMembersEvery = time.Minute
	// EtcdKeepaliveTime is the silence after which the connection is probed; grpc
	// refuses less.
	EtcdKeepaliveTime = 10 * time.Second
	// EtcdKeepaliveTimeout is how long the answer to a probe may take.
	EtcdKeepaliveTimeout = 3 * time.Second
)

// Discovery.
const (
	// SnapshotIdle is the time after the last use at which a followed service is
	// dropped.
	SnapshotIdle = 10 * time.Minute
	// UnknownNameIdle is the same for a service of which no node was ever seen.
	UnknownNameIdle = 30 * time.Second
	// MaxUnknownNames is how many services are followed of which no node was ever
	// seen.
	MaxUnknownNames int = 64
	// SnapshotMaxAge is the age from which what an earlier process left on disk is
	// not believed.
	SnapshotMaxAge = 72 * time.Hour
	// SnapshotRefresh is the time between two notes on disk that what is known still
	// holds.
	SnapshotRefresh = time.Minute
	// SuspectWindow is the span in which the loss of many nodes counts as one loss.
	SuspectWindow = 10 * time.Second
	// SuspectKeep is how long a suspect node is kept before it is dropped untried.
	SuspectKeep = 60 * time.Second
	// Resync is the mean time between two complete readings of what is mirrored.
	Resync = 45 * time.Second
)

// Locks.
const (
	// LockTTL is how long a lock outlives its holder.
	LockTTL = 15 * time.Second
)

// Configuration.
const (
	// ConfigTimeout is how long the loading of sources waits for the slowest.
	ConfigTimeout = 5 * time.Second
	// ConfigReadTimeout is how long etcd may take to give a source its first values. It
	// is below ConfigTimeout, so that the source can say what it waited for.
	ConfigReadTimeout = 4 * time.Second
	// ConfigPublishInterval is the least time between two writes by which an instance says
	// what configuration it has in force.
	ConfigPublishInterval = time.Second
	// ConfigLeaveTimeout is how long an instance that ends waits until nothing is said of it
	// any more.
	ConfigLeaveTimeout = time.Second
	// ConfigWait is how long the command waits for instances to take a release.
	ConfigWait = 30 * time.Second
	// ConfigHistory is how many releases the configuration centre keeps on record.
	ConfigHistory = 500
)
