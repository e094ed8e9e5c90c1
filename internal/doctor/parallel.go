package doctor

import "sync"

// inParallel calls f with every index below n, at most limit at a time, and
// returns when all calls have.
func inParallel(limit, n int, f func(i int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(limit, n) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
