#!/bin/bash
# Runs the tests of the operations with native ones that watch every access to memory.
#
# Leaks are not looked for: Python and TensorFlow keep what they have until the end.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-$(test -x .venv/bin/python && echo .venv/bin/python || echo python3)}
compiler=${CXX:-c++}
TFVFI_CACHE_DIR=$(mktemp -d)
export TFVFI_CACHE_DIR
trap 'rm -rf "$TFVFI_CACHE_DIR"' EXIT
export TFVFI_NATIVE=1
export TFVFI_NATIVE_FLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
-fno-sanitize-recover=undefined"
# Compiled before the sanitizer is loaded into everything, the compiler included.
"$python" -c "from tfvfi.ops.native import build; build.cached()"
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1
LD_PRELOAD="$("$compiler" -print-file-name=libasan.so) $("$compiler" -print-file-name=libubsan.so)" \
  "$python" -m pytest -q --ignore=tests/ops/test_native_build.py "${@:-tests/ops}"
