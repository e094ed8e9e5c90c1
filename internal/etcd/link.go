package etcd

import "time"

// Link is the state of the connection at one moment.
type Link struct {
	// Generation grows by one with every new TCP connection that came up. It is 0
	// until the first did.
	Generation uint64
	// Up is true while the connection can carry requests.
	Up bool
	// Addr is the member that we are connected to, host:port; empty while down.
	Addr string
	// Err says why the connection is down, or why it cannot be used. Nil if it is
	// up and usable or if nothing was tried yet.
	Err error
	// Since is the time of the last change of Up.
	Since time.Time
	// Heard is the time at which something last arrived from etcd.
	Heard time.Time
	// Changed is closed when any of the above but Heard changes.
	Changed <-chan struct{}
}
