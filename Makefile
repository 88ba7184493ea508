# make demo   interpolates the sample clip into out/        make lint    style, imports, types
# make test   the tests (minutes)                           make bench   operation benchmark
# make test-all   also the slow ones, PyTorch and JAX       make wheel   sdist and wheel
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NATIVE := $(wildcard tfvfi/ops/native/*.cc tfvfi/ops/native/*.h tfvfi/ops/native/build.py)
# Quiet TensorFlow: its start-up notes are not about the user's work.
export TF_CPP_MIN_LOG_LEVEL ?= 3
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: setup demo test test-all test-jax lint format docs bench wheel clean

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml setup.py $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "tfvfi needs Python 3.10 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
	       "Name another: make setup PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing tfvfi and what it needs into $(VENV) (minutes the first time) ..."
	@$(PIP) --upgrade pip "setuptools>=77" wheel && $(PIP) "tensorflow>=2.19" \
	  && $(PIP) --no-build-isolation --editable ".[dev]" || { \
	  echo "The packages could not be installed; the lines above say which." \
	       "Is there a network, and room on the disk?"; exit 1; }
	@$(BIN)/python tfvfi/ops/native/build.py || echo "Everything works without them, slower."
	@touch $@

demo: setup
	$(BIN)/python tools/demo.py --output=out --overwrite

# Three processes keep two cores busy; what a file sets up once is set up once.
test: setup
	$(BIN)/python -m pytest -m "not slow" -n 3 --dist loadfile

$(VENV)/reference: $(VENV)/ready
	$(PIP) --editable ".[reference]" --no-build-isolation
	@# It names a protobuf older than TensorFlow's, but runs with TensorFlow's.
	$(PIP) --no-deps tf2onnx
	@touch $@

.venv-jax/ready: pyproject.toml
	$(PYTHON) -m venv .venv-jax
	.venv-jax/bin/python -m pip --disable-pip-version-check --quiet install \
	  jax keras numpy absl-py h5py opencv-python-headless av protobuf tqdm pytest
	@touch $@

test-jax: .venv-jax/ready
	KERAS_BACKEND=jax .venv-jax/bin/python -m pytest tests/ops tests/training/test_backends.py \
	  tests/examples/test_keras_user.py -m "not slow" \
	  --ignore-glob="tests/ops/test_native_*"

# One after the other, for exports of large networks keep memory until their process ends.
test-all: $(VENV)/reference test-jax test
	$(BIN)/python -m pytest -m slow -n 2 --dist loadfile tests/models
	$(BIN)/python -m pytest -m slow -n 2 --dist loadfile --ignore=tests/models
	bash tests/run_asan.sh

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy --no-incremental

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/docs: $(VENV)/ready
	$(PIP) --editable ".[docs]" --no-build-isolation
	@touch $@

# The two variables silence announcements of the tools' authors.
docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict
	@echo "The site is in out/site."

bench: $(VENV)/reference
	$(BIN)/python tools/benchmark.py --ops --output=out/ops.csv

wheel: setup
	$(BIN)/python -m build --no-isolation --outdir dist

clean:
	rm -rf out dist build *.egg-info
