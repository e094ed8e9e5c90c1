#!/usr/bin/env bash
# Runs each package's tests 20 times in a row with the race detector, 5 times where one run takes over 5 seconds.
# Prints a line per package; exits 1 if any run failed.
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
soak() {
	local dir=$1 pkg=$2 start runs
	start=$SECONDS
	if ! go -C "$dir" test -race -count=1 "$pkg" >/dev/null 2>&1; then
		echo "FAIL $pkg"
		bad=1
		return
	fi
	runs=20
	[ $((SECONDS - start)) -gt 5 ] && runs=5
	start=$SECONDS
	if go -C "$dir" test -race -count=$runs -timeout=30m "$pkg" >"$log" 2>&1; then
		echo "ok   $runs x $pkg, $((SECONDS - start)) s"
	else
		echo "FAIL $runs x $pkg"
		cat "$log"
		bad=1
	fi
}
for dir in . interop; do
	for pkg in $(go -C "$dir" list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...); do
		# Builds first, so that the time measured is that of the tests.
		go -C "$dir" test -race -count=1 -run '^$' "$pkg" >/dev/null 2>&1
		soak "$dir" "$pkg"
	done
done
exit $bad
