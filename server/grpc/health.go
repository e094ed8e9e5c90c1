package grpc

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// Readiness is the name under which the health service tells whether the server
// is registered. Under the empty name it tells whether the server serves.
const Readiness = "readiness"

// registerHealth registers the health service, unless the program brought one,
// and returns what sets its answers.
func registerHealth(g *grpc.Server) *health.Server {
	h := health.NewServer()
	h.SetServingStatus(Readiness, healthpb.HealthCheckResponse_NOT_SERVING)
	registerOwn(g, &healthpb.Health_ServiceDesc, h)
	return h
}

// setReadiness sets the answer for Readiness.
func (r *run) setReadiness(ready bool) {
	answer := healthpb.HealthCheckResponse_NOT_SERVING
	if ready {
		answer = healthpb.HealthCheckResponse_SERVING
	}
	r.health.SetServingStatus(Readiness, answer)
}
