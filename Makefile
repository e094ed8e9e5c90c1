# Everything here works on a machine with Go, git, make and gcc. `make help` lists it.

SHELL    := bash
GO       ?= go
MICRO    := $(CURDIR)/bin/micro
ETCD_33  := $(CURDIR)/bin/etcd-3.3
LIBRARY  := ./...
MODULES  := . interop interop/peer bench broker/redis examples/web-gin tools/report tools/guard
export ROLLCALL_MICRO := $(MICRO)
export ROLLCALL_ETCD_33 := $(ETCD_33)
export CGO_ENABLED := 1

.DEFAULT_GOAL := help
.PHONY: help build old-etcd consul demo bench test lint tidy generate vet-windows vet-darwin fuzz soak faults faults-v2 clean

help: ## Show this list.
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

build: ## Build the command into bin/micro.
	@CGO_ENABLED=0 $(GO) build -o $(MICRO) ./cmd/micro

old-etcd: ## Build the etcd of go-micro v2's time, for tests, into bin/etcd-3.3.
	@CGO_ENABLED=0 $(GO) build -C tools/etcd-3.3 -o $(ETCD_33) . || echo "etcd 3.3 cannot be built: its tests are skipped, or fail with REQUIRE_BACKENDS=all" >&2

consul: ## Build the Consul agent of the tests into the user's cache, where it stays (4 minutes of processor time).
	@$(GO) test -race -count=1 -timeout=20m -run='^TestConsulIsBuilt$$' ./internal/testkit >/dev/null || echo "consul cannot be built: its tests are skipped, or fail with REQUIRE_BACKENDS=all" >&2

demo: ## Show the main job: a service registers in etcd and is called by name.
	$(GO) run ./cmd/micro demo

bench: ## Measure calls, lookups and memory beside grpc-go and etcd's client (some minutes; bench/README.md).
	@$(GO) run -C bench . all

test: build old-etcd consul ## Run all tests of all modules with the race detector.
	@set -o pipefail; \
	{ rc=0; for m in $(MODULES); do $(GO) -C $$m test -race -json ./... 2>&1 || rc=1; done; exit $$rc; } | $(GO) run -C tools/report .

lint: ## Check format, vet and staticcheck.
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt differs:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	@for m in $(MODULES); do echo "vet $$m"; $(GO) -C $$m vet ./... || exit 1; done
	@$(GO) build -C tools/lint -o $(CURDIR)/bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	@for m in $(MODULES); do echo "staticcheck $$m"; (cd $$m && $(CURDIR)/bin/staticcheck ./...) || exit 1; done
	@./tools/house-rules.sh

tidy: ## Bring every go.mod in order.
	@for m in $$(git ls-files '*go.mod' | grep -v testdata | xargs -n1 dirname); do $(GO) -C $$m mod tidy || exit 1; done

generate: ## Make the generated code anew (needs protoc).
	@./tools/generate.sh

vet-windows: ## Vet the library as Windows would build it.
	GOOS=windows CGO_ENABLED=0 $(GO) vet $(LIBRARY)

vet-darwin: ## Vet the library as macOS would build it.
	GOOS=darwin CGO_ENABLED=0 $(GO) vet $(LIBRARY)

fuzz: ## Fuzz each target for FUZZ_TIME (60s unless given).
	./tools/fuzz.sh $(or $(FUZZ_TIME),60s)

soak: build old-etcd consul ## Run each package's tests 20 times in a row (5 times those that take long).
	./tools/soak.sh

faults: build old-etcd consul ## Run every row of docs/FAULTS.md in full, with repetitions and long waits.
	ROLLCALL_FAULTS=full $(GO) test -race -count=1 -timeout=2h -v ./faults

faults-v2: build old-etcd consul ## Put Rollcall and go-micro v2.9.1 under the same faults and print what each did.
	ROLLCALL_FAULTS=full $(GO) -C interop test -count=1 -parallel=4 -timeout=30m -run='^TestFaults$$'

clean: ## Remove what was built.
	rm -rf bin
