#!/bin/bash
# Compiles the native operations for 64-bit Arm and runs their tests with them in an emulator.
#
# TensorFlow itself is not emulated: in the emulator a small program takes its place, see tests/arm.
# On Debian this requires the packages g++-aarch64-linux-gnu and qemu-user-static.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-$(test -x .venv/bin/python && echo .venv/bin/python || echo python3)}
compiler=${CXX:-aarch64-linux-gnu-g++}
emulator=${EMULATOR:-qemu-aarch64-static}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
flags=$("$python" -c "from tfvfi.ops.native import build; print(*build.FLAGS)")
headers=$("$python" -c "from importlib.util import find_spec
print(find_spec('tensorflow').submodule_search_locations[0] + '/include')")
for source in tfvfi/ops/native/*.cc tests/arm/stand_in.cc; do
  "$compiler" $flags -Wno-psabi -isystem "$headers" -c "$source" -o "$folder/${source##*/}.o"
done
"$compiler" -static -pthread "$folder"/*.o -o "$folder/operations"
export TFVFI_STAND_IN="$emulator $folder/operations"
# Left out: tests that start processes without the stand-in, or look at graphs while tracing.
"$python" -m pytest -q -p tests.arm.plugin \
  --ignore=tests/ops/test_native_build.py --ignore=tests/ops/test_native_isa.py \
  -k "not number_of_threads and not forked and not while_tracing and not by_xla \
    and not keras_model and not runs_the_native_gradient" \
  "${@:-tests/ops}"
