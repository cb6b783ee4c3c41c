# Needs Python 3.11 or newer, make and a C library. Everything else is brought or made here.

VENV = .venv/bin/python
READY = .venv/.installed
# The first Python that is new enough and can make an environment: `python3` is older on some machines.
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
BENCHES = engine intake overload loop live handoff crm_costs pull back sending admin real_leads

# A file stays on one worker, so what its tests share is made once; the order is tests/conftest.py's.
TWO_AT_ONCE = -n 2 --dist loadfile --no-loadscope-reorder

# Compiled once, not anew in each of the many processes that tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check long drills chaos services stop lint run bench requirements sbom snapshot browser clients
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1~\2/p' $(MAKEFILE_LIST) | awk -F'~' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: $(READY) ## Play the whole loop on this machine and keep serving (ONCE=1: check every hop and end; CRM=salesforce or pipedrive)
	@$(VENV) manage.py demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(CRM),--crm $(CRM))

test: $(READY) lint browser clients ## Run linters, types, import contracts and all tests
	@$(VENV) -m pytest -q $(TWO_AT_ONCE)
	@echo; echo "All checks and all tests passed."

check: $(READY) lint ## Run linters, types and the tests without processes: for while you work
	@$(VENV) -m pytest -q $(TWO_AT_ONCE) -m "not processes and not long" --hypothesis-profile=quick

long: $(READY) ## Run the tests that take too long for `make test`
	@$(VENV) -m pytest -q -m long
	@$(VENV) -m pytest -q $(TWO_AT_ONCE) tests/engine --hypothesis-profile=thorough

drills: $(READY) ## Break what everything stands on, in turn: servers, processes, clocks, mail, backups (the long form of some of `make test`)
	@$(VENV) -m pytest -q $(TWO_AT_ONCE) -m drill
	@$(VENV) -m tests.chaos

services: $(READY) ## Start (or find running) PostgreSQL and Redis for work by hand; `make stop` ends them
	@$(VENV) -m leadscoring.devservers start
	@$(VENV) manage.py migrate --no-input --verbosity 0

stop: $(READY) ## Stop what `make services` left running; its data stays
	@$(VENV) -m leadscoring.devservers stop

# Linters need settings, not servers: nobody listens at these addresses.
lint: export DATABASE_URL = postgres://nobody@127.0.0.1:9/nothing
lint: export REDIS_URL = redis://127.0.0.1:9/0
lint: export SECRET_KEY = made-up-for-the-linters-0123456789-abcdefghijklmnopqrstuvwxyz
lint: export DEBUG = off
lint: export EMAIL_URL = off
lint: export BASE_URL = https://leads.example.com
lint: export ALLOWED_HOSTS = leads.example.com
lint: export CSRF_TRUSTED_ORIGINS = https://leads.example.com
lint: export HUBSPOT_BASE_URL = https://api.hubapi.com
lint: $(READY) ## Run linters, types, import contracts and Django's own checks
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy
	@$(VENV) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	@$(VENV) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(VENV) manage.py check --deploy --fail-level WARNING

# The commands are those of the Procfile. Each is ended by its own process id.
run: services ## Run web, workers and beat as in production, on localhost (PORT=8000)
	@PATH="$(CURDIR)/.venv/bin:$$PATH"; export GUNICORN_CMD_ARGS="--bind 127.0.0.1:$(or $(PORT),8000)"; unset PORT; \
	started=; for name in web worker-live worker-slow beat; do \
		sh -c "$$(sed -n "s/^$$name: /exec /p" Procfile)" & started="$$started $$!"; \
	done; \
	trap 'kill $$started 2>/dev/null; wait' EXIT; trap 'exit 0' INT TERM HUP; wait $${started%% *}

chaos: $(READY) ## Kill, freeze and cut everything while 10,000 leads come in, and look for lost or doubled ones (SEED=7 replays)
	@$(VENV) -m tests.chaos $(if $(SEED),--seed $(SEED))

bench: $(READY) ## Print speed figures and what they are compared with
	@set -e; for bench in $(BENCHES); do $(VENV) -m tests.bench.$$bench; done

requirements: ## Pin anew what requirements.in and requirements-dev.in ask for (needs uv)
	uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-header requirements.in -o requirements.txt
	uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-header requirements-dev.in -c requirements.txt -o requirements-dev.txt

sbom: $(READY) ## Write the list of the packages in the image, with their hashes, as CycloneDX (build/sbom.json)
	@mkdir -p build
	@$(VENV) -m cyclonedx_py requirements requirements.txt --output-reproducible --output-file build/sbom.json

snapshot: $(READY) ## Write a database as this release leaves it, for the tests of the next one's upgrade (VERSION=1.2.0)
	@$(VENV) -m tests.upgrade.snapshot $(VERSION)

# The browser tests say so and are left out where there is no Chromium.
browser:
	@if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "No Chromium here: installing it for the browser tests ..."; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/dev/null 2>&1; \
		fi; \
		command -v chromium >/dev/null || echo "!!! NO CHROMIUM: THE BROWSER TESTS WILL BE SKIPPED. Install it to run them."; \
	fi

# The clients of Node and of web pages, unmodified. Their tests say so and are left out where there is no Node.
CLIENTS = tests/clients/node_modules/.package-lock.json
clients: $(CLIENTS)

$(CLIENTS): tests/clients/package-lock.json
	@if ! command -v npm >/dev/null || ! node -e 'process.exit(+(parseInt(process.versions.node) < 20))'; then \
		echo "!!! NO NODE 20: THE TESTS OF THE CLIENTS FOR NODE AND WEB PAGES WILL BE SKIPPED. Install it to run them."; \
	else echo "Installing the clients that the tests send with ..."; npm ci --silent --prefix tests/clients && touch $@ || \
		echo "!!! NPM COULD NOT INSTALL THEM: THE TESTS OF THE CLIENTS FOR NODE AND WEB PAGES WILL BE SKIPPED."; fi

# The stamp comes last: an install that was interrupted is done again, a finished one never.
$(READY): requirements-dev.txt
	@if command -v uv >/dev/null; then \
		{ test -x $(VENV) || uv venv --quiet --python '>=3.11' .venv; } && \
		uv pip install --quiet --python $(VENV) -r requirements-dev.txt; \
	elif [ -n "$(PYTHON)" ]; then \
		echo "Installing into .venv with $(PYTHON) (half a minute, or some by your connection) ..."; \
		{ $(VENV) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv; } && \
		$(VENV) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt; \
	else \
		echo "Python 3.11 or newer (with its venv module) was not found on PATH." >&2; exit 1; \
	fi
	@touch $(READY)
