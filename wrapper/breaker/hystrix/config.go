package hystrix

import (
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/rollcall-go/micro/internal/breaker"
)

// What applies where a CommandConfig says nothing, by the names of
// github.com/afex/hystrix-go. They belong to the program; set them before the first call.
var (
	// DefaultTimeout is how long a call may take, in milliseconds.
	DefaultTimeout = 1000
	// DefaultMaxConcurrent is how many calls of one command may be under way.
	DefaultMaxConcurrent = 10
	// DefaultVolumeThreshold is how many calls of the last ten seconds it takes for a
	// circuit to open.
	DefaultVolumeThreshold = 20
	// DefaultSleepWindow is how long an open circuit refuses calls before it lets one
	// through, in milliseconds.
	DefaultSleepWindow = 5000
	// DefaultErrorPercentThreshold is how many percent of the calls of the last ten
	// seconds have to fail for a circuit to open.
	DefaultErrorPercentThreshold = 50
)

// CommandConfig are the settings of one command. Zero means the default.
type CommandConfig struct {
	Timeout                int `json:"timeout"`
	MaxConcurrentRequests  int `json:"max_concurrent_requests"`
	RequestVolumeThreshold int `json:"request_volume_threshold"`
	SleepWindow            int `json:"sleep_window"`
	ErrorPercentThreshold  int `json:"error_percent_threshold"`
}

// configured are the settings of commands by name, of the whole process as in hystrix-go.
var configured struct {
	mu       sync.RWMutex
	commands map[string]CommandConfig
}

// ConfigureCommand sets what applies to a command, which is a service and an endpoint:
// "greeter.Greeter.Hello". A command takes its settings with its first call; what is
// configured later is for wrappers that have not called it yet.
func ConfigureCommand(name string, config CommandConfig) {
	configured.mu.Lock()
	defer configured.mu.Unlock()
	if configured.commands == nil {
		configured.commands = map[string]CommandConfig{}
	}
	configured.commands[name] = config
}

// Configure sets what applies to several commands, by name.
func Configure(commands map[string]CommandConfig) {
	for name, config := range commands {
		ConfigureCommand(name, config)
	}
}

// configOf returns the settings of a command, complete.
func configOf(name string) CommandConfig {
	configured.mu.RLock()
	c := configured.commands[name]
	configured.mu.RUnlock()
	for value, fallback := range map[*int]int{
		&c.Timeout: DefaultTimeout, &c.MaxConcurrentRequests: DefaultMaxConcurrent, &c.RequestVolumeThreshold: DefaultVolumeThreshold,
		&c.SleepWindow: DefaultSleepWindow, &c.ErrorPercentThreshold: DefaultErrorPercentThreshold,
	} {
		if *value <= 0 {
			*value = fallback
		}
	}
	return c
}

// Statistics are of the last ten seconds, as in hystrix-go, second by second.
const (
	window = 10 * time.Second
	bucket = time.Second
)

// circuitOf returns the settings of the circuit for a command.
func circuitOf(k breaker.Key) gobreaker.Settings {
	c := configOf(k.String())
	return gobreaker.Settings{
		Interval: window, BucketPeriod: bucket, Timeout: milliseconds(c.SleepWindow),
		ReadyToTrip: func(n gobreaker.Counts) bool {
			return int(n.Requests) >= c.RequestVolumeThreshold && 100*int(n.TotalFailures) >= c.ErrorPercentThreshold*int(n.Requests)
		},
	}
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
