#!/bin/bash
# Trains the bundled weights of ifrnet_s anew:  bash recipes/ifrnet_s.sh VIDEOS OUTPUT
# The same command goes on where it was interrupted.
set -euo pipefail
usage="usage: bash recipes/ifrnet_s.sh VIDEOS OUTPUT"
videos=${1:?$usage} output=${2:?$usage} here=$(dirname "$0")
tfvfi() { python "$here/../tools/${1//-/_}.py" "${@:2}"; }

tfvfi create-records --videos="$videos" --output="$output/records" \
  --frames=5 --shrink=2 --patch_size=160 --patches_per_video=120
stage() { # number and name, more flags
  tfvfi train --flagfile="$here/ifrnet_s_$1.flags" --records="procedural:$output/records" \
    --output="$output/$1" --export="$output/$1.weights.h5" "${@:2}"
}
stage 1_small_motion
stage 2_all_times --weights="$output/1_small_motion.weights.h5"
stage 3_longer --weights="$output/2_all_times.weights.h5"
python "$here/bundle.py" --trained="$output/3_longer.weights.h5" --output="$here/../tfvfi/bundled/ifrnet_s.weights.h5"
