#!/usr/bin/env bash
# Fuzzes each target of the module for a time (60s unless given), two at once. What a target fails on it writes into
# testdata/fuzz of its package, where it becomes a seed of the ordinary tests: commit it with the fix.
set -u
cd "$(dirname "$0")/.." || exit 2
export FUZZ_TIME=${1:-60s}
one() {
	local out
	if out=$(go test -run='^$' -fuzz="^$2\$" -fuzztime="$FUZZ_TIME" -parallel=1 "./$1" 2>&1); then
		echo "ok   $1 $2: $(grep -o 'execs: [0-9]*' <<<"$out" | tail -1)"
	elif grep -q '^ *context deadline exceeded$' <<<"$out" && ! grep -q 'Failing input' <<<"$out"; then
		# The time ended while an input was being tried: nothing was found.
		echo "ok   $1 $2: the time ended within an input"
	else
		printf 'FAIL %s %s\n%s\n' "$1" "$2" "$out"
		return 1
	fi
}
export -f one
git ls-files '*_test.go' | grep -v '^tools/\|^interop/' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]*' /dev/null |
	sed -E 's#^(.*)/[^/]*:func (.*)$#\1 \2#' | xargs -P 2 -L 1 bash -c 'one "$0" "$1" || exit 1'
rc=$?
[ $rc -eq 0 ] || exit 1
