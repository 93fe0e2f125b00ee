.DEFAULT_GOAL := help
BIN := .venv/bin
TREE := $(wildcard actors bench cli deploy models providers serve_app services simulators stores tests tools)

# Compiled once instead of at each start of each process.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run test check fmt bench lock

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: ## Install what is missing; nothing to do takes a moment
	@./setup.sh

run: setup ## Run everything on this machine, with a demo account and a simulated call
	@$(BIN)/callboard up --demo

# Tests of the deployed product mostly wait, for calls that take their time; the others keep a core busy meanwhile, and
# those of them that deploy the product themselves, or treat it badly, go with the others.
DEPLOYED := tests/billing tests/call_session tests/integration tests/speech_to_text
APART := tests/integration/nodes tests/integration/test_deploy.py \
	tests/integration/product/test_survival.py tests/integration/product/test_upgrade.py
OTHERS := $(filter-out $(DEPLOYED) tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/))) $(APART)
OTHERS_LOG := data/tests-beside.log

test: setup ## Run every test, the fast ones first
	$(BIN)/pytest -q -m "not integration"
	@mkdir -p $(dir $(OTHERS_LOG)); \
	$(BIN)/pytest -q --durations=25 -m integration $(OTHERS) > $(OTHERS_LOG) 2>&1 & beside=$$!; \
	trap 'kill $$beside 2> /dev/null' EXIT; \
	$(BIN)/pytest -q --durations=25 -m integration $(DEPLOYED) $(addprefix --ignore=,$(APART)); deployed=$$?; \
	wait $$beside; others=$$?; trap - EXIT; \
	cat $(OTHERS_LOG); exit $$((deployed > others ? deployed : others))

check: setup ## What has to be green: lint, format, types, every test
	$(BIN)/ruff check $(TREE)
	$(BIN)/ruff format --check $(TREE)
	$(BIN)/mypy
	@$(MAKE) --no-print-directory test

fmt: setup ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix $(TREE)
	$(BIN)/ruff format $(TREE)

bench: setup ## Run the short benchmarks; quiet the machine first. The long ones: ramp, faults, nodes, soak
	@for each in media_path turns barge_in crowd noises vendor_faults stt api; do echo "== $$each"; $(BIN)/python -m "bench.$$each" || exit 1; done

lock: setup ## Choose dependency versions anew and write them down with their hashes
	uv pip compile --quiet --generate-hashes --universal --no-header --no-annotate --python-version 3.11 \
		--extra dev --overrides requirements/overrides.txt --upgrade pyproject.toml --output-file requirements/lock.txt
