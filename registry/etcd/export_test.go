package etcd

// Token makes the token of a departure, for tests from outside.
func Token(lease int64) any { return token{lease} }
