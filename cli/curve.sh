#!/usr/bin/env bash
# Prints a table of test accuracy against bytes: one search for each data set.
#   cli/curve.sh SECONDS FOLDER ...      each folder holds train.tsv and test.tsv
set -euo pipefail

seconds=$1
shift
budgets=(8192 16384 32768 65536 131072 262144)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

printf '| data |'
printf ' %s KiB |' 8 16 32 64 128 256
printf '\n|---|---|---|---|---|---|---|\n'
for folder in "$@"; do
    nanoembed train "$folder/train.tsv" --flash 256k --seconds "$seconds" --test "$folder/test.tsv" -o "$scratch/model.nemb" \
        >"$scratch/curve" 2>"$scratch/search"
    printf '| %s |' "$(basename "$folder")"
    for budget in "${budgets[@]}"; do
        # Budget, bytes, the measure on what is held out, and on the test file.
        awk -v budget="$budget" '$1 == budget { printf " %s |", $4 ~ /^[0-9.]+$/ ? sprintf("%.1f", 100 * $4) : "-" }' "$scratch/curve"
    done
    printf '\n'
done
