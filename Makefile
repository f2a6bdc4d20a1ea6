# Everything sets itself up: an own virtual environment in .venv, from locks with hashes, made once.
# Settings: PYTHON=/path/to/python3.13   UV= (use pip though uv is here)   ARCHITECTURE=x86_64 (build)   STACK=name (deploy)   ARGS="..."

BIN := .venv/bin
SAM := .venv-sam/bin/sam
PAGE := out/replay.html
STACK ?= tocsin
FEEDS ?= infra/feeds.yaml
# The answers of each stack's first deployment; samconfig.toml stays as it was checked out.
ANSWERS := samconfig.local.toml
ARCHITECTURE ?= arm64
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
# SAM's cache does not know what a layer was built for, so it keeps arm64 alone.
UNCACHED = $(if $(filter-out arm64,$(ARCHITECTURE)),--no-cached)

HERE = $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
artefact: ARCHITECTURE := $(HERE)

# The uv that infra/setup.sh fetches where there is none.
export PATH := $(PATH):$(CURDIR)/.venv-uv/bin
export ARCHITECTURE
export SAM_CLI_TELEMETRY := 0
ifneq ($(origin PYTHON), undefined)
export PYTHON
endif
ifneq ($(origin UV), undefined)
export UV
endif

.DEFAULT_GOAL := help
.PHONY: help setup replay test hostile simulate simulate-all simulate-moto baselines races bench bench-peers bench-compare check lint format types contract rules layout docs site picture schemas mutate lock validate audit build artefact system-test cost load deploy destroy build-CoreLayer build-PageLayer setup-sam clean

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-zA-Z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv with everything in it, if it is not there yet
	@infra/setup.sh .venv requirements/dev.txt checkout

replay: setup ## Run the five articles of seeds/ through the whole system, and write out/replay.html
	@$(BIN)/tocsin replay seeds --html $(PAGE) $(ARGS)

test: setup ## Run the tests, on all cores
	$(BIN)/python -m pytest -n auto $(ARGS)

simulate: setup ## Every single fault on the way from inbox to Slack and of what people press there (seconds); ARGS="--schedule '34:late'" replays one
	@$(BIN)/python -m tests.simulation $(ARGS)

simulate-all: setup ## Every pair of faults, and 100,000 schedules of three and more (half an hour on two idle cores)
	@$(BIN)/python -m tests.simulation --pairs --random 100000 $(ARGS)

simulate-moto: setup ## Every single fault with the real boto3 adapters, on moto (a quarter of an hour on two idle cores)
	@$(BIN)/python -m tests.simulation.moto $(ARGS)

baselines: setup ## The same single faults for other ways to deliver, as a table
	@$(BIN)/python -m tests.simulation --baselines $(ARGS)

races: setup ## Processes that race for the same stories and alerts, on ministack (needs Python 3.13, else it is skipped)
	@infra/races.sh $(ARGS)

bench: setup ## Measure engine, replay, peers and cold starts against what else one could take; adds to bench/results.json; ARGS="--quick" or "--only engine"
	@PYTHONPATH=. $(BIN)/python -m bench $(ARGS)

bench-peers: setup ## Keywords, spaCy, TF-IDF, MinHash, titles and Tocsin on the same articles, as a table; ARGS="--corpus FILE", "--only matcher"
	@PYTHONPATH=. $(BIN)/python -m bench.peers $(ARGS)

bench-compare: setup ## Compare the ratios of bench/results.json with those committed; ARGS="--format github", or two files
	@PYTHONPATH=. $(BIN)/python -m bench.compare $(ARGS)

hostile: setup ## Read feeds that attack, ask servers that attack, poll feeds that lie; ARGS="feeds mutated" for some parts
	PYTHONPATH=. $(BIN)/python -m tests.hostile $(ARGS)

check: lint types contract rules test ## Everything CI runs: lint, types, contract, rules, test

lint: setup ## Lint, and hold the format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup ## Check the types
	$(BIN)/mypy

contract: setup ## Check that no import points the wrong way
	$(BIN)/lint-imports

rules: setup ## Check the rules and the list of feeds, and run the tests at the rules' bottom
	@$(BIN)/tocsin check infra/feeds.yaml

layout: setup ## Check that every file of the rules is laid out as `tocsin fmt` does it (a quarter of a minute)
	@$(BIN)/tocsin fmt --check rules

docs: setup ## Write the pages that are made of the code: docs/checks.md, docs/reference/
	@$(BIN)/python docs/reference.py

site: setup ## Make the site of the documentation, in out/site; a broken link fails
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html -d out/.doctrees docs out/site
	@echo "site: out/site/index.html"

picture: replay ## Take the picture of an alert for README.md (needs Chromium and an emoji font)
	@$(BIN)/python docs/picture.py

mutate: setup ## Change the stable rules in one place at a time, and list what no test notices (a quarter of an hour); ARGS="--sample 200" for some
	@$(BIN)/tocsin test --mutate --sample 0 $(ARGS)

schemas: setup ## Write the JSON Schemas of the YAML files, which editors use: schemas/
	@$(BIN)/tocsin schema --write schemas

format: setup ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lock: ## Lock the dependencies anew (needs uv); UPGRADE=1 takes newer versions
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	$(LOCK) pyproject.toml --extra cli --extra replay --extra studio --group dev -o requirements/dev.txt
	$(LOCK) pyproject.toml --constraint requirements/dev.txt -o requirements/layer.txt
	$(LOCK) --group pages --constraint requirements/dev.txt -o requirements/pages.txt
	$(LOCK) requirements/sam.in -o requirements/sam.txt
	$(LOCK) requirements/checkov.in -o requirements/checkov.txt
	$(LOCK) requirements/uv.in -o requirements/uv.txt
	$(subst 3.11,3.13,$(LOCK)) requirements/ministack.in -o requirements/ministack.txt
	$(subst 3.11,3.13,$(LOCK)) requirements/runtime.in -o requirements/runtime.txt

validate: setup-sam ## Check template.yaml with the SAM CLI
	$(SAM) validate --lint --region us-east-1

audit: ## Check what is deployed with checkov; .checkov.yaml says why it may leave out what it does
	@infra/setup.sh .venv-checkov requirements/checkov.txt
	.venv-checkov/bin/checkov --config-file .checkov.yaml

build: setup-sam ## Build what is deployed, in .aws-sam
	$(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE) $(UNCACHED) $(ARGS)

artefact: setup setup-sam ## Build for this machine's processor, start every function that was built under Lambda's own client, and weigh it (needs Python 3.13)
	@$(SAM) build --build-dir .aws-sam/here --no-cached --parameter-overrides Architecture=$(HERE)
	BUILT=$(CURDIR)/.aws-sam/here $(BIN)/python -m pytest -n 0 tests/pipeline/test_built.py $(ARGS)

system-test: setup setup-sam ## Deploy the template as it is to ministack on loopback, ring for the seeds, and try every role (needs Python 3.13, else it is skipped)
	@infra/system-test.sh $(ARGS)

cost: setup ## What Tocsin costs: each call of a measured run on moto, priced by bench/prices.json (some minutes)
	PYTHONPATH=. $(BIN)/python bench/cost.py $(ARGS)

load: setup ## A million articles a day, with bursts, through detection and delivery in virtual time; ARGS="--hours 2"
	PYTHONPATH=. $(BIN)/python bench/load.py $(ARGS)

deploy: setup build ## Deploy what was built: asks for everything the first time, the feeds included, and remembers the answers; STACK=name FEEDS=file
	@test -e $(ANSWERS) || echo 'version = 0.1' >$(ANSWERS) # SAM reads it before it writes it
	@if grep -q '^\[$(STACK)\.deploy' $(ANSWERS); then next=; set -- $(ARGS); else next=1; set -- --guided --stack-name $(STACK) $(ARGS); fi; \
	$(SAM) deploy --config-file $(CURDIR)/$(ANSWERS) --config-env $(STACK) --capabilities CAPABILITY_IAM --tags application=tocsin --no-fail-on-empty-changeset "$$@" || \
	{ echo "Not deployed: tocsin preflight --stack-name $(STACK) tells what stands in the way, and how to go on" >&2; exit 1; }; \
	if [ -z "$$next" ]; then exit; fi; feeds=$(FEEDS); \
	if [ -t 0 ]; then printf 'Feeds to begin with, a YAML or OPML file [%s]: ' "$$feeds"; read -r named; feeds=$${named:-$$feeds}; fi; \
	AWS_REGION=$${AWS_REGION:-$$(sed -n '/^\[$(STACK)\.deploy/,/^\[/s/^region = "\(.*\)"/\1/p' $(ANSWERS))}; export AWS_REGION; \
	$(BIN)/tocsin feeds check --from "$$feeds" || echo "Not all of these feeds are fine: mend or leave out what is wrong, then tocsin feeds import $$feeds"; \
	$(BIN)/tocsin feeds import "$$feeds" --stack-name $(STACK) || echo "The stack stands, but has no feeds yet: tocsin feeds import $$feeds --stack-name $(STACK)" >&2; \
	echo "Next, with AWS_REGION=$$AWS_REGION: tocsin slack doctor --stack-name $(STACK)"

destroy: setup-sam ## Delete the deployed stack, after asking; table and bucket stay; STACK=name
	@test -e $(ANSWERS) || echo 'version = 0.1' >$(ANSWERS)
	$(SAM) delete --config-file $(CURDIR)/$(ANSWERS) --config-env $(STACK) --stack-name $(STACK) $(ARGS)

build-CoreLayer: ## Fill the core layer (`sam build` calls it)
	@infra/layer.sh "$(ARTIFACTS_DIR)" core

build-PageLayer: ## Fill the layer of the function Page (`sam build` calls it)
	@infra/layer.sh "$(ARTIFACTS_DIR)" pages

setup-sam: ## Make .venv-sam with the SAM CLI in it, if it is not there yet
	@infra/setup.sh .venv-sam requirements/sam.txt

clean: ## Remove what the other targets made, .venv too
	rm -rf .venv .venv-uv .venv-sam .venv-ministack .venv-runtime .venv-checkov .aws-sam out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .grimp_cache .hypothesis
