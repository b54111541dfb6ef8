#!/usr/bin/env bash
# Draws the same words under two tables: one that learnt which sentences are good or bad, and one that learnt from
# the same sentences, without their labels, which words stand beside each other. Sentences and words were put
# together by hand for this. Writes FOLDER/two-tables.svg and .png:
#   cli/examples/hotel/figure.sh docs/pictures
set -euo pipefail

here=$(dirname "$0")
folder=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

nanoembed train "$here/texts.tsv" -q --words 1 --characters 0 --rows 1024 --dim 16 -o "$scratch/labels.nemb"
cut -f 2 "$here/texts.tsv" >"$scratch/sentences.txt"
nanoembed word2vec "$scratch/sentences.txt" -q --dim 16 --epochs 30 --sample 0 -o "$scratch/neighbours.txt"
for form in svg png; do
    nanoembed plot map "$scratch/labels.nemb" "$scratch/neighbours.txt" --groups "$here/words.tsv" \
        --titles 'supervised: learnt from labels,word2vec: learnt from the words beside' -o "$folder/two-tables.$form" >"$scratch/purity"
done
cut -f 2- "$scratch/purity"
