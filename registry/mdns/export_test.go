package mdns

var _ = loopbackOnly
