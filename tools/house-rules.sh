#!/usr/bin/env bash
# Searches the library for what the house rules forbid. Prints each find; exits 1 if there was one.
# What needs more than a search (sleeps in tests, root contexts, the environment at import) is in tools/guard.
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0

# find WHAT WHY FILES... : every match is a violation.
forbid() {
	local what=$1 why=$2
	shift 2
	local hits
	hits=$(grep -nE "$what" "$@" /dev/null | grep -vE '^[^:]*:[0-9]+:[[:space:]]*//')
	if [ -n "$hits" ]; then
		printf '%s\n  (%s)\n' "$hits" "$why"
		bad=1
	fi
}

mapfile -t library < <(git ls-files '*.go' | grep -vE '_test\.go$|^cmd/|^tools/|^bench/|^interop/|^internal/testkit/|^registry/registrytest/|^examples/|^e2e/')

forbid 'time\.(Sleep|After|Tick)\(' 'waits listen: a timer in a select with a context' "${library[@]}"
forbid '\b(panic|log\.Fatal[a-z]*|fmt\.Print[a-z]*)\(' 'a library returns errors' "${library[@]}"
forbid 'context\.TODO\(\)' 'a context is given or owned' "${library[@]}"
# One file leaves the verifying to a function of its own, which knows names of services.
mapfile -t verified < <(printf '%s\n' "${library[@]}" | grep -v '^internal/secure/dial.go$')
forbid 'InsecureSkipVerify' 'TLS is verified' "${verified[@]}"
forbid 'interface\{\}' 'any says the same' "${library[@]}"
# Lines of the log: ours in one form, v2's word for word.
lines=$(grep -nE '(logger\.(Trace|Debug|Info|Warn|Error|Fatal)f?\(|[lL]ogf?\(logger\.[A-Za-z]+, )"' "${library[@]}" |
	grep -vE '"[A-Z][a-z]* \[|"(Server register error: |Deregistering node: |Subscribing to topic: |Unsubscribing from topic: |panic recovered: |Received signal |Starting server |Stopping server")')
if [ -n "$lines" ]; then
	printf '%s\n  (a log line reads: Part [name] What happened: what it is about: why)\n' "$lines"
	bad=1
fi
# Exactly two places exit a process.
exits=$(grep -lE 'os\.Exit' "${library[@]}" | grep -vE '^(config/cmd|logger)/')
if [ -n "$exits" ]; then
	printf '%s\n  (only config/cmd and logger may exit a process)\n' "$exits"
	bad=1
fi

long=$(printf '%s\n' "${library[@]}" | grep -v '\.pb\.' | xargs wc -l | awk '$2 != "total" && $1 > 500 {print "  " $2 ": " $1 " lines"}')
if [ -n "$long" ]; then
	printf 'files over 500 lines:\n%s\n' "$long"
	bad=1
fi
exit $bad
