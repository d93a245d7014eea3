# Everything runs in .venv, made with the newest Python that works here from the hash-locked requirements.lock.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# A version manager may leave a python3.13 on the PATH that does not start: take the newest one that does.
PYTHON ?= $(shell for v in 3.13 3.12 3.11; do if python$$v -c '' 2>/dev/null; then echo python$$v; exit; fi; done)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: help
help: ## say what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "onrecord needs Python 3.11, 3.12 or 3.13 on the PATH" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: env
env: .venv/installed ## make the virtual environment

.PHONY: demo
demo: env ## articles in, quotes, positions and a dead letter out (KEEP=1 stays up)
	@$(BIN)/onrecord demo $(if $(KEEP),--keep)

.PHONY: lint
lint: env ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy

.PHONY: test
test: lint ## lint and every test, on a real Kafka
	@$(PYTEST) -m "not slow"

comma := ,
EVAL ?= ../shared/eval
GOLD_QUOTES := polnear.dev gum-news.all cases
GOLD_POSITIONS := positions_news.dev plover_policy.dev probe.all
GOLD_ENTITIES := crossner_politics.dev gum_news.all

# $(call score,TASK,SET,OPTIONS...): read the gold set's articles, and hold what comes out against it.
score = echo "== $(1) $(2) $(3)"; $(BIN)/python $(EVAL)/evaluate.py $(1) $(EVAL)/$(1)/$(2).jsonl dist/quality/$(2).jsonl $(3)
read = $(BIN)/python $(EVAL)/evaluate.py raw $(EVAL)/$(1)/$(2).jsonl | $(BIN)/onrecord extract --jsonl - > dist/quality/$(2).jsonl

.PHONY: quality
quality: env ## score the reading on the annotated sets in EVAL (../shared/eval); see docs/quality.md
	@test -d $(EVAL) || { echo "the annotated data is not at $(EVAL)" >&2; exit 1; }
	@mkdir -p dist/quality
	@$(foreach set,$(GOLD_QUOTES),$(call read,quotes,$(set)); $(call score,quotes,$(set));)
	@$(call score,quotes,polnear.dev,--speech); $(call score,quotes,polnear.dev,--view segment --types direct)
	@$(call score,quotes,cases,--view segment --types direct$(comma)mixed)
	@$(foreach set,$(GOLD_POSITIONS),$(call read,positions,$(set)); $(call score,positions,$(set));)
	@$(foreach set,$(GOLD_ENTITIES),$(call read,entities,$(set)); $(call score,entities,$(set));)
	@$(BIN)/python -m tests.quality.measure_entities
	@$(BIN)/python -m tests.quality.measure_topics

# glibc: keep freed memory, in one arena with huge pages. Batches come in many shapes, and giving the memory of each back
# makes training 1.6 times as slow.
TRAINING := MALLOC_MMAP_THRESHOLD_=2000000000 MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=500000000 \
	MALLOC_ARENA_MAX=1 GLIBC_TUNABLES=glibc.malloc.hugetlb=1 training/.venv/bin/python -m training.reader
WEIGHTS := services/extraction/reader/weights.zip
THIRD := 0.33333

training/.venv/installed: training/requirements.lock
	@$(PYTHON) -m venv training/.venv
	@training/.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r training/requirements.lock
	@touch $@

.PHONY: train
train: training/.venv/installed ## teach the reader anew from EVAL (four hours on two cores; goes on where it stopped)
	@test -d $(EVAL) || { echo "the annotated data is not at $(EVAL)" >&2; exit 1; }
	@$(TRAINING).train --data $(EVAL) --out dist/third --share $(THIRD)
	@$(TRAINING).export dist/third dist/third.zip --data $(EVAL)
	@$(TRAINING).gate dist/third.zip --share $(THIRD) --data $(EVAL)
	@$(TRAINING).train --data $(EVAL) --out dist/teacher
	@$(TRAINING).export dist/teacher dist/teacher.zip --data $(EVAL)
	@$(TRAINING).calibrate dist/teacher.zip --data $(EVAL)
	@$(TRAINING).train --data $(EVAL) --out dist/reader --teacher dist/teacher.zip
	@$(TRAINING).export dist/teacher dist/reader $(WEIGHTS) --data $(EVAL)
	@$(TRAINING).calibrate $(WEIGHTS) --data $(EVAL)

.PHONY: train-topics
train-topics: training/.venv/installed ## teach the topics of positions anew from EVAL (a minute)
	@test -d $(EVAL) || { echo "the annotated data is not at $(EVAL)" >&2; exit 1; }
	@training/.venv/bin/python -m training.topics.train --data $(EVAL) --out services/extraction/data/topics.zip

.PHONY: chaos
chaos: env ## every fault in both delivery modes, counted (an hour); writes the table of docs/reliability.md
	@$(BIN)/python -m tests.chaos

.PHONY: endurance
endurance: env ## twenty thousand articles through one real worker, its memory watched
	@$(BIN)/python -m tests.chaos.endurance

.PHONY: fuzz
fuzz: env ## ten minutes of hostile bytes from message to events
	@$(BIN)/python -m tests.fuzz --minutes 10

BENCH := dist/bench/venv

$(BENCH)/installed: tests/benchmarks/requirements.lock
	@$(PYTHON) -m venv --clear $(BENCH)
	@$(BENCH)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r tests/benchmarks/requirements.lock
	@$(BENCH)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: bench
bench: env $(BENCH)/installed ## measure the reading and the service, alone and against others (50 minutes on two idle cores); see docs/performance.md
	@$(BIN)/python -m tests.benchmarks.reading
	@$(BENCH)/bin/python -m tests.benchmarks.limit
	@$(BENCH)/bin/python -m tests.benchmarks.alternatives $(EVAL)
	@$(BIN)/python -m tests.benchmarks.service
	@$(BIN)/python -m tests.benchmarks.latency
	@$(BIN)/python -m tests.benchmarks.growth
	@$(BIN)/python -m tests.benchmarks.plot

.PHONY: tools
tools: ## build helm and kubeconform with Go, for the tests of the Helm chart
	@GOBIN=$(CURDIR)/dist/tools go install helm.sh/helm/v3/cmd/helm@v3.22.0
	@GOBIN=$(CURDIR)/dist/tools go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0

# Its module cannot be installed by name, as it excludes versions of others; a module of ours that asks for it can build it.
.PHONY: docker-compose
docker-compose: ## build docker compose with Go where the plugin is not installed (many minutes)
	@mkdir -p dist/tools dist/compose
	@cd dist/compose && { test -f go.mod || go mod init onrecord/compose; } 2>&1 && go get github.com/docker/compose/v2/cmd@v2.40.3 \
		&& go build -o ../tools/docker-compose github.com/docker/compose/v2/cmd

IMAGE ?= onrecord
REVISION = $$(git rev-parse HEAD)$$(git diff --quiet HEAD || echo -changed)

.PHONY: image
image: ## build the image as IMAGE, labelled with the version and the commit that it is made of
	@docker build --file deploy/docker/Dockerfile --tag $(IMAGE) $(if $(PYTHON_IMAGE),--build-arg PYTHON_IMAGE=$(PYTHON_IMAGE)) \
		--build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" --build-arg REVISION="$(REVISION)" \
		--build-arg SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct)" .

.PHONY: container-test
container-test: env ## build the image and run the composed system, on stand-ins made of packages (needs Docker or root)
	@$(PYTEST) -m slow tests/integration/test_containers.py

.PHONY: ops-test
ops-test: env ## what running it takes, with the real tools: metrics, alerts, traces, chart, containers; says what was skipped
	@test -x dist/tools/helm -a -x dist/tools/kubeconform || ! command -v go > /dev/null || $(MAKE) --no-print-directory tools
	@! command -v docker > /dev/null || docker compose version > /dev/null 2>&1 || test -x dist/tools/docker-compose \
		|| ! command -v go > /dev/null || $(MAKE) --no-print-directory docker-compose
	@$(BIN)/python -m tests.ops

.PHONY: audit
audit: env ## look the locked packages up among known vulnerabilities (needs the public advisory service)
	@$(BIN)/pip-audit --requirement requirements.lock --disable-pip --strict

.PHONY: sbom
sbom: env ## write a CycloneDX bill of materials to dist/sbom.json
	@mkdir -p dist
	@$(BIN)/cyclonedx-py requirements requirements.lock --output-format JSON --output-file dist/sbom.json

COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --quiet

.PHONY: lock
lock: env ## resolve pyproject.toml anew into the lock files
	@$(COMPILE) --all-extras --output-file requirements.lock
	@$(COMPILE) --extra tracing --constraint requirements.lock --output-file deploy/docker/requirements.lock
	@$(COMPILE) training/requirements.in --constraint requirements.lock --output-file training/requirements.lock
	@$(COMPILE) tests/benchmarks/requirements.in --extra broker --output-file tests/benchmarks/requirements.lock

.PHONY: clean
clean: ## remove what was made here
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/asyncapi/node_modules tests/kubernetes/node_modules
