# Two commands: make run, make test. What they need is installed into .venv on first use.
#   make run PORT=8600     make run HOST=0.0.0.0 BEHIND="reverse proxy"     make run PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
CORES ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

export TIDEMARK_APP_HOST := $(if $(HOST),$(HOST),$(TIDEMARK_APP_HOST))
export TIDEMARK_APP_PORT := $(if $(PORT),$(PORT),$(TIDEMARK_APP_PORT))
export TIDEMARK_APP_BEHIND := $(if $(BEHIND),$(BEHIND),$(TIDEMARK_APP_BEHIND))

# Some images tell Python to keep no compiled files: each of the program's processes would then compile all of it again at every start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint check-kernel check-pages check-api check-faults check-bucket check-mlflow bench lock clean
.SILENT:

run:                    ## install, migrate, start everything, print the address; Ctrl-C stops all of it
	$(PYTHON) worker/install.py && exec $(BIN)/python -m worker.cli up

# First compile, the tests' assertions too, once and not in every process; then tests with bounds in seconds, and beside them, once a start has been timed, the linter at
# the lowest priority; then those in a browser, one after another, and all others beside them at a lower priority, for browsers wait more than
# they work, and are the longest row.
ALONE = $(shell grep -rl --include='test_*.py' "mark.alone" tests/worker)
test: .venv/dev         ## everything that needs no network, on SQLite and PostgreSQL, in a real browser where there is one
	$(BIN)/python -c "from domain.features.warm import warm; warm()" && $(PYTEST) -q -n 0 --collect-only >/dev/null & $(BIN)/python -c "from domain.backtest.warm import warm; warm()"; wait
	(sleep 40; exec nice -n 19 $(MAKE) lint) & lint=$$!; pages=; said=$$(mktemp); trap "kill $$lint \$$pages 2>/dev/null; exit 130" INT TERM; \
	$(PYTEST) -n $(CORES) --dist loadgroup -m alone $(ALONE); alone=$$?; \
	$(PYTEST) -m "browser and not long" tests/e2e >$$said 2>&1 & pages=$$!; \
	nice -n 5 $(PYTEST) -n $(CORES) --dist loadgroup -m "not alone and not browser"; others=$$?; \
	wait $$pages; browser=$$?; cat $$said; rm -f $$said; \
	wait $$lint && exit $$((alone + others + browser))

lint: .venv/dev
	$(BIN)/ruff check . && $(BIN)/mypy

check-kernel: .venv/dev ## kernel against its reference implementation on 200,000 random cases, live accounts against whole runs on 2,000
	TIDEMARK_CASES=200000 $(PYTEST) -n $(CORES) --dist worksteal tests/domain/backtest/test_kernel_reference.py tests/domain/backtest/test_properties.py
	TIDEMARK_CASES=2000 $(PYTEST) -n $(CORES) --dist worksteal tests/domain/backtest/test_live.py tests/domain/backtest/test_live_commands.py tests/domain/backtest/test_commands_reference.py

check-pages: .venv/dev  ## the longest courses in a real browser, on real bars too where TIDEMARK_DATA names some
	$(PYTEST) -m "browser and long" tests/e2e

check-api: .venv/dev    ## requests drawn from the API's own document
	TIDEMARK_CASES=$(or $(CASES),8) $(PYTEST) tests/app/api/test_document.py && TIDEMARK_CASES=5000 $(PYTEST) tests/app/api/test_hostile.py

check-faults: .venv/dev ## P1 to P14 on both databases, and the README's table; N=full for the full figures
	$(BIN)/python -m tests.faults.report $(if $(filter full,$(N)),--full)

check-bucket: .venv/dev ## frames in an S3 bucket, a local server of one; downloads it
	test -x var/moto/bin/moto_server || { $(PYTHON) -m venv var/moto && var/moto/bin/pip install --quiet "moto[s3,server]>=5.2,<6"; }
	var/moto/bin/moto_server -H 127.0.0.1 -p 5598 >/dev/null 2>&1 & server=$$!; trap "kill $$server" EXIT; sleep 3; \
	export AWS_ACCESS_KEY_ID=k AWS_SECRET_ACCESS_KEY=s AWS_EC2_METADATA_DISABLED=true AWS_ENDPOINT_URL_S3=http://127.0.0.1:5598; \
	$(BIN)/python -c "from worker.store.root import Root; Root.of('s3://frames/x').make()" && TEST_BUCKET=s3://frames $(PYTEST) tests/worker/store/test_copies.py

# The server cannot stand beside what this program needs, so it has an environment of its own; the client, mlflow-skinny, can.
MLFLOW := var/mlflow
MLFLOW_PORT ?= 5599
check-mlflow: .venv/dev ## models mirrored to a real MLflow server; downloads one
	test -x $(MLFLOW)/server/bin/mlflow || { $(PYTHON) -m venv $(MLFLOW)/server && $(MLFLOW)/server/bin/pip install --quiet "mlflow>=3.17,<4"; }
	test -d $(MLFLOW)/client || $(BIN)/python -m pip install --quiet --target $(MLFLOW)/client -c requirements.txt "mlflow-skinny>=3.17,<4"
	data=$$(mktemp -d); $(MLFLOW)/server/bin/mlflow server --host 127.0.0.1 --port $(MLFLOW_PORT) --workers 1 --backend-store-uri sqlite:///$$data/mlflow.db --artifacts-destination $$data/files >$$data/log 2>&1 & server=$$!; \
	trap "kill $$server; rm -rf $$data" EXIT; \
	for turn in $$(seq 120); do $(BIN)/python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$(MLFLOW_PORT)/health', timeout=1)" 2>/dev/null && break; sleep 0.5; done; \
	TIDEMARK_MLFLOW=http://127.0.0.1:$(MLFLOW_PORT) PYTHONPATH=$(MLFLOW)/client $(PYTEST) tests/worker/test_mlflow.py

bench: .venv/dev        ## timings, as ratios in one run
	$(BIN)/python -m benchmarks

lock:                   ## compile requirements.in for Linux, macOS and Windows (needs uv)
	uv pip compile requirements.in --universal --python-version 3.11 --quiet --no-annotate --no-header --upgrade -o requirements.txt
	sed -i.old -E '/^(nvidia-|cuda-|triton)/d' requirements.txt && rm -f requirements.txt.old    # torch is installed as its CPU build
	uv pip compile requirements-dev.in --universal --python-version 3.11 --quiet --no-annotate --no-header --upgrade -o requirements-dev.txt

clean:                  ## remove the workspace and everything that was installed
	rm -rf var .venv

.venv/dev: requirements.txt requirements-dev.txt worker/install.py pyproject.toml
	$(PYTHON) worker/install.py --dev
	touch $@
