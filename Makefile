# make test   the quick suite: SQLite; PostgreSQL, browser and data tests where they can run
# make ci     everything, nothing skipped, as the server runs it
# make lint   formatting, vet and, where installed, golangci-lint
# make fuzz   every fuzz target for FUZZTIME
# make soak   the long forms of the tests of faults and blindness, with a report in
#             docs/reports/soak.md, then the suite under the race detector, then
#             fuzzing
# make mutate changes the lines that decide, one at a time, and runs the tests that
#             must notice; the report goes to docs/reports/mutation.md
# make bench  every benchmark, with allocations
# make study  the estimators on simulated worlds: the report and the table that they print
# make release  binaries of this commit, built twice and compared, with hashes and
#             bills of materials, in dist/

FUZZTIME ?= 5s

.PHONY: test ci lint fuzz soak mutate bench build study release

build:
	go build -trimpath -o parallax ./cmd/parallax

test:
	go test ./...

ci:
	.ci/run

lint:
	@test -z "$$(gofmt -l .)" || { echo 'not gofmt-ed:'; gofmt -l .; exit 1; }
	go vet ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run; else echo 'golangci-lint is not installed: vet only'; fi

# go test fuzzes one target of one package at a time.
fuzz:
	@grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go | sed 's/^func //' | sort -u | while read -r target; do \
			echo "== $$dir $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir" || exit 1; \
		done || exit 1; \
	done

soak:
	.ci/soak
	go test -race -timeout 90m ./...
	$(MAKE) fuzz FUZZTIME=30s

mutate:
	go run ./internal/house/mutate -report docs/reports/mutation.md

bench:
	go test -run '^$$' -bench . -benchmem ./...

release:
	.ci/release

# Every estimator on simulated worlds with known truth, some of them with an
# assumption broken: about 20 minutes of one core.
study:
	go run ./cmd/parallax sim study --report docs/reports/estimators.md --table estimate/blind.json
