package grpc

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/rollcall-go/micro/internal/enroll"
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

// followReadiness keeps the answer for Readiness up to date until the stop begins.
// Whoever waited for the start hears the answer that belongs to it.
func (r *run) followReadiness() {
	defer close(r.readinessDone)
	decided := false
	for {
		state, changed := r.enrolled.Changed()
		answer := healthpb.HealthCheckResponse_NOT_SERVING
		if state.Ready() == nil {
			answer = healthpb.HealthCheckResponse_SERVING
		}
		r.health.SetServingStatus(Readiness, answer)
		if !decided && state.Phase != enroll.Trying {
			decided = true
			close(r.decided)
		}
		select {
		case <-changed:
		case <-r.stopC:
			return
		}
	}
}
