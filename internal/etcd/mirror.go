package etcd

import "context"

// Mirror follows the keys that begin with prefix, or with single the one key
// of that name, and tells o every change. It returns nil when ctx is done, and
// an error if the configuration is wrong or the Conn is closed. Nothing else
// ends it: while etcd cannot be reached it keeps what it has and goes on trying.
func (c *Conn) Mirror(ctx context.Context, prefix string, single bool, o Observer) error {
	return ErrClosed
}
