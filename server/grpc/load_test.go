package grpc_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/testkit/currentpb"
)

// Many callers at once, in every format: each answer must be that to the question.
func TestMixedCalls(t *testing.T) {
	f := start(t)
	formats := []grpc.CallOption{clientCodec(t, "application/grpc+proto"), clientCodec(t, "application/json")}
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for i := range 50 {
				if i%5 == 4 {
					if _, err := f.say(t.Context(), "micro", formats[i%2]); status.Code(err) != codes.NotFound {
						t.Errorf("an error call: %v", err)
					}
					continue
				}
				// Short ones and ones of a size for which memory is pooled.
				want := strings.Repeat(fmt.Sprintf("%d-%d ", g, i), 1+i%3*300)
				out := &currentpb.SayReply{}
				err := f.conn.Invoke(t.Context(), "/Echo/Say", &currentpb.SayRequest{Text: want}, out, formats[i%2])
				if err != nil || out.Text != want || out.Asked.GetText() != want {
					t.Errorf("%d-%d: another's answer, %v", g, i, err)
				}
			}
		})
	}
	wg.Wait()
}
