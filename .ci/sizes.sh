# The part that compares the images for the Cortex-M4F with those of an earlier commit.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of one script share their variables

# Nothing may have grown by more than this many percent since this commit.
readonly sizes_since=e3f196a25a21cdea59f19abd7d1a4ca54bc85cde sizes_limit=5
readonly sized_images=(inference training everything)

# Builds the images; prints `image quantity number` for .text, stack and instructions of each.
measure_images() {
    local image
    {
        build_host
        build_images "${sized_images[@]}"
    } >&2
    for image in "${sized_images[@]}"; do
        {
            arm-none-eabi-size -A "$out/$image"
            run_image "$image"
        } | awk -v image="$image" '
            $1 == ".text" { print image, $1, $2 }
            $1 == "stack" || $1 == "instructions" { print image, $1, $NF }'
    done
}

# Prints two such lists as a table. Fails if a number is missing in one or has grown by more than the limit.
compare_sizes() {
    awk -v limit="$sizes_limit" -v expected=$((3 * ${#sized_images[@]})) '
        FNR == NR { before[$1, $2] = $3; next }
        FNR == 1 { printf "%-11s %-13s %10s %10s %7s\n", "image", "", "before", "now", "ratio" }
        before[$1, $2] > 0 && $3 > 0 {
            both++
            grown = $3 * 100 > before[$1, $2] * (100 + limit)
            failed = failed || grown
            printf "%-11s %-13s %10d %10d %7.3f%s\n", $1, $2, before[$1, $2], $3, $3 / before[$1, $2],
                grown ? "  more than " limit " % more" : ""
        }
        END {
            if (both != expected) printf "%d numbers, not %d\n", both, expected
            exit failed || both != expected
        }' "$1" "$2"
}

# The history, also where another user has checked it out.
history_of() {
    git -c safe.directory="$root" "$@"
}

# The words of a program, comments left out, one a line.
words_of() {
    sed 's|//.*||' "$1" | grep -oE '[A-Za-z_][A-Za-z0-9_]{2,}' | sort -u
}

sizes() {
    local before=$logs/before folder=$logs/sizes everything=images/src/bin/everything.rs changed number
    packages git
    if ! history_of cat-file -e "$sizes_since^{commit}" 2>/dev/null; then
        not_run "sizes since ${sizes_since:0:7}: this copy of the repository lacks that commit"
        return
    fi
    rm -rf "$folder" && mkdir -p "$folder"
    if [[ ! -f $before/complete ]]; then
        rm -rf "$before" && mkdir -p "$before"
        history_of archive "$sizes_since" | tar -x -C "$before"
        touch "$before/complete"
    fi
    # `everything` did not measure itself then: it gets today's `main`.
    history_of show "$sizes_since:tests/firmware/$everything" >"$folder/everything.rs"
    {
        sed '/^#\[entry\]/,$d' "$folder/everything.rs"
        sed -n '/^#\[entry\]/,$p' "$firmware_folder/$everything"
    } >"$folder/measured.rs"
    cmp -s "$folder/measured.rs" "$before/tests/firmware/$everything" ||
        cp "$folder/measured.rs" "$before/tests/firmware/$everything"

    # Both in one target folder, for the same dependencies: today's last, so that it is what the folder shows.
    # The host of then only trains the small model, in which nothing has to be fast but its compilation.
    CARGO_PROFILE_HOST_OPT_LEVEL=0 CARGO_PROFILE_HOST_DEBUG=false \
        firmware_folder=$before/tests/firmware reviews=$before/reviews measure_images >"$folder/before"
    measure_images >"$folder/now"

    # The table must be able to fail, at each of its numbers: one that is too large, one that is absent.
    for number in $(seq $((3 * ${#sized_images[@]}))); do
        awk -v number="$number" '{ print $1, $2, NR == number ? int($3 * 1.06) + 1 : $3 }' \
            "$folder/before" >"$folder/falsified"
        if compare_sizes "$folder/before" "$folder/falsified" >/dev/null; then fail 'growth is not seen'; fi
        sed "${number}d" "$folder/before" >"$folder/falsified"
        if compare_sizes "$folder/before" "$folder/falsified" >/dev/null; then fail 'a gap is not seen'; fi
    done
    compare_sizes "$folder/before" "$folder/before" >/dev/null || fail 'growth is seen where there is none'

    say "sizes since ${sizes_since:0:7}; $sizes_limit % more is the limit"
    changed=$(comm -13 <(words_of "$folder/everything.rs") <(words_of "$firmware_folder/$everything") | xargs)
    say "everything calls more now; words that only today's has, new names of old things among them: $changed"
    compare_sizes "$folder/before" "$folder/now" || fail "an image has grown by more than $sizes_limit %"
}
