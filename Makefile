# The few verbs. Needs Python 3.11 or newer, make and git; everything else is installed into .venv.
#   make run     serve http://127.0.0.1:$(PORT)/ with a demo sheet
#   make test    all but what takes long, on WORKERS processes; ARGS="tests/domain -x" hands arguments to pytest instead
#   make integration  the rest, a quarter of an hour: servers and browsers beside each other, killed, cut off, upgraded
#   make lint    ruff: rules and format
#   make types   mypy, and TypeScript's checker over the browser modules where node is installed
#   make bench   measure against peers, an hour and a quarter; writes bench/RESULTS.md; ARGS="--quick" or ARGS="--only open" for less
#   make bench-grid  our grid beside others in Chromium, ten minutes; writes bench/GRID.md; ARGS="--runs 1" for less
#   make bench-streams  from publish to screen beside Google's streaming client, ten minutes; writes bench/STREAMS.md
#   make bench-calc  from an edit to every screen's values, beside other engines, five minutes; writes bench/CALC.md
#   make bench-exchange  CSV and XLSX files of a million cells in and out, five minutes; writes bench/EXCHANGE.md
#   make autobahn  play Autobahn's WebSocket cases against the deployed server, ten minutes; writes bench/AUTOBAHN.md
#   make soak    an hour (SECONDS=3600) under a moderate load: does anything grow? writes bench/soak.json
#   make upgrade  ten minutes (SECONDS=600): this build takes the place of that of a commit (OLD=HEAD) under 500 sockets; writes bench/UPGRADE.md
#   make faults  prove the promise under random faults: SEEDS=100 for so many rounds, SEED=7 MODE=sqlite for one
#   make messages  collect the sentences of the pages for translation, and compile what is translated; NEW=fr begins one; needs GNU gettext
#   make lock    what the image installs, with hashes, in the versions that are tested here: after a change of requirements*.txt
#   make sbom    list it in CycloneDX's form: sbom.json
#   make audit   ask pypi.org for known holes in it; needs the network, and says so where it has none
#   make check   lint + types + imports + migrations + test: CI runs this, then make integration

PORT ?= 8000
VENV ?= .venv
ARGS ?=
WORKERS ?= auto
BIN := $(VENV)/bin
# Their presence says: the pins of that moment are installed.
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_BENCH := $(VENV)/.installed-bench
SUPPLY := $(VENV)/supply/bin
, := ,
# Tests that share a server stay on one worker; the order is tests/conftest.py's.
SIDE_BY_SIDE := --numprocesses=$(WORKERS) --dist=loadgroup --no-loadscope-reorder

.DEFAULT_GOAL := run
.PHONY: run test integration lint types bench bench-grid bench-streams bench-calc bench-exchange autobahn soak upgrade faults messages \
  lock sbom audit check

run: $(INSTALLED)
	@$(BIN)/python manage.py prepare_demo --port $(PORT)
	@exec $(BIN)/python manage.py runserver 127.0.0.1:$(PORT)

# On PostgreSQL first, so that the last lines are pytest's summary of most.
test: $(INSTALLED_DEV)
ifeq ($(ARGS),)
	@$(BIN)/python -m tests.on_postgresql $(SIDE_BY_SIDE) -m "both_databases and not integration"
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not integration"
else
	@$(BIN)/python -m pytest $(ARGS)
endif

integration: $(INSTALLED_DEV)
	@$(BIN)/python -m tests.on_postgresql $(SIDE_BY_SIDE) -m "both_databases and integration"
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m integration

lint: $(INSTALLED_DEV)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED_DEV)
	@$(BIN)/mypy
	@if command -v npm >/dev/null; then \
	  $(MAKE) --no-print-directory node_modules/.installed && npx --no-install tsc -p jsconfig.json; \
	elif [ "$(CI)" = true ]; then \
	  echo "npm is not installed, and CI leaves nothing out: install Node.js 20 or newer." >&2; exit 1; \
	else \
	  echo "npm is not installed: the types of the browser modules are not checked."; \
	fi

bench: $(INSTALLED_BENCH)
	@$(BIN)/python -m bench $(ARGS)

bench-grid: $(INSTALLED_BENCH)
	@$(BIN)/python -m bench.grid $(ARGS)

bench-streams: $(INSTALLED_DEV)
	@$(BIN)/python -m bench.streams $(ARGS)

bench-calc: $(INSTALLED_DEV)
	@$(BIN)/python -m bench.calc $(ARGS)

bench-exchange: $(INSTALLED_BENCH)
	@$(BIN)/python -m bench.exchange $(ARGS)

autobahn: $(INSTALLED_DEV)
	@$(BIN)/python -m bench.autobahn

soak: $(INSTALLED_DEV)
	@$(BIN)/python -m bench.soak --seconds $(or $(SECONDS),3600)

upgrade: $(INSTALLED_DEV)
	@$(BIN)/python -m bench.upgrade --seconds $(or $(SECONDS),600) --old $(or $(OLD),HEAD)

faults: $(INSTALLED_DEV)
	@$(BIN)/python -m tests.faults.run $(if $(SEEDS),--seeds $(SEEDS)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(MODE),--mode $(MODE)) $(if $(SECONDS),--seconds $(SECONDS))

# Without line numbers: a translation's history shows sentences, not where they moved. domain and sync say none.
MAKEMESSAGES = makemessages $(if $(NEW),--locale $(NEW),--all) --no-wrap --no-obsolete --add-location file \
  $(foreach folder,.venv node_modules bench tests docs staticfiles domain sync,--ignore $(folder))

messages: $(INSTALLED)
	@for tool in xgettext msgmerge msgfmt; do command -v $$tool >/dev/null || { \
	  echo "GNU gettext is not installed ($$tool is missing): install it (Debian: apt install gettext; macOS: brew install gettext)." >&2; \
	  exit 1; }; done
	@mkdir -p cells/locale
	@$(BIN)/python manage.py $(MAKEMESSAGES)
	@$(BIN)/python manage.py $(MAKEMESSAGES) --domain djangojs
	@$(BIN)/python manage.py compilemessages --ignore .venv --ignore node_modules

# What pip has chosen here for what has no pin of ours is what the image gets. requirements-all.lock is for make sbom and make audit.
LOCK := uv pip compile --quiet --generate-hashes --no-header --no-annotate --python-version 3.13 \
  --python-platform x86_64-manylinux_2_28 --constraint $(VENV)/.tested

lock: $(INSTALLED_DEV) $(SUPPLY)/.installed
	@$(BIN)/python -m pip freeze --exclude-editable --disable-pip-version-check | grep -v ' @ ' > $(VENV)/.tested
	@$(SUPPLY)/$(LOCK) --output-file requirements.lock requirements.txt
	@$(SUPPLY)/$(LOCK) --output-file requirements-observe.lock requirements.txt requirements-observe.txt
	@$(SUPPLY)/$(LOCK) --output-file requirements-oidc.lock requirements.txt requirements-oidc.txt
	@$(SUPPLY)/$(LOCK) --output-file requirements-all.lock requirements.txt requirements-observe.txt requirements-oidc.txt

sbom: $(SUPPLY)/.installed
	@$(SUPPLY)/cyclonedx-py requirements requirements-all.lock --output-reproducible --output-format JSON --output-file sbom.json
	@echo "sbom.json lists what an image with OBSERVE=1 and OIDC=1 has from PyPI."

# Strict: what could not be asked for is no good news.
audit: $(SUPPLY)/.installed
	@$(SUPPLY)/pip-audit --strict --disable-pip --require-hashes --requirement requirements-all.lock || { \
	  echo "audit: either the table above has known holes: raise those pins, make lock, make test." >&2; \
	  echo "audit: or pypi.org could not be asked, as its last line says: then nothing is known, and it is to be run again." >&2; \
	  exit 1; }

check: lint types
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(MAKE) --no-print-directory test

# A virtual environment needs a Python that is new enough and has ensurepip (Debian packs it apart), and pyenv's
# shims exist for Pythons that do not run; so each candidate is asked.
$(BIN)/python:
	@for python in $(PYTHON) $(if $(PYTHON),,python3.13 python3.12 python3.11 python3 python); do \
	  if $$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$($$python --version)"; \
	    exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "$(if $(PYTHON),PYTHON=$(PYTHON) is not Python 3.11 or newer with the venv module$(,) which SheetSync needs.,SheetSync needs Python 3.11 or newer with its venv module: install it (Debian: apt install python3-venv)$(,) or name one: make PYTHON=/path/to/python3.)" >&2; \
	exit 1

$(INSTALLED): requirements.txt | $(BIN)/python
	@echo "Installing what SheetSync runs on"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt requirements-observe.txt requirements-oidc.txt requirements.txt | $(BIN)/python
	@echo "Installing what SheetSync runs on and is tested with"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(INSTALLED)

$(INSTALLED_BENCH): requirements-bench.txt requirements-dev.txt requirements-observe.txt requirements-oidc.txt requirements.txt | $(BIN)/python
	@echo "Installing what SheetSync is measured with"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@ $(INSTALLED) $(INSTALLED_DEV)

$(SUPPLY)/.installed: requirements-supply.txt | $(BIN)/python
	@echo "Installing what locks, lists and audits"
	@$(BIN)/python -m venv $(VENV)/supply
	@$(SUPPLY)/python -m pip install --quiet --disable-pip-version-check -r requirements-supply.txt
	@touch $@

node_modules/.installed: package-lock.json
	@npm ci --no-audit --no-fund --silent
	@touch $@
