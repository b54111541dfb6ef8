# The part that compares the images for the Cortex-M4F with those of an earlier commit.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of one script share their variables

# Nothing may have grown by more than so many percent since these commits: the one before models at run time is the last.
readonly sizes_since=(e3f196a25a21cdea59f19abd7d1a4ca54bc85cde:5 ddc6de81ef615fde565e580d2c77966dea51690a:3)
readonly sized_images=(inference training everything)
# What the image that opens a model whose type it does not know may have beyond an empty one.
readonly open_limit=$((12 * 1024))

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

# Prints two such lists as a table. Fails if a number is missing in one or has grown by more than so many percent.
compare_sizes() {
    awk -v limit="$3" -v expected=$((3 * ${#sized_images[@]})) '
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

# Builds the images as they were at a commit, to `$folder/before`.
measure_before() {
    local commit=$1 before=$logs/before-$1 everything=images/src/bin/everything.rs changed
    if [[ ! -f $before/complete ]]; then
        rm -rf "$before" && mkdir -p "$before"
        history_of archive "$commit" | tar -x -C "$before"
        touch "$before/complete"
    fi
    # `everything` did not measure itself then: it gets today's `main`.
    history_of show "$commit:tests/firmware/$everything" >"$folder/everything.rs"
    {
        sed '/^#\[entry\]/,$d' "$folder/everything.rs"
        sed -n '/^#\[entry\]/,$p' "$firmware_folder/$everything"
    } >"$folder/measured.rs"
    cmp -s "$folder/measured.rs" "$before/tests/firmware/$everything" ||
        cp "$folder/measured.rs" "$before/tests/firmware/$everything"
    # The host of then only trains the small model, in which nothing has to be fast but its compilation.
    CARGO_PROFILE_HOST_OPT_LEVEL=0 CARGO_PROFILE_HOST_DEBUG=false \
        firmware_folder=$before/tests/firmware reviews=$before/reviews measure_images >"$folder/before"
    changed=$(comm -13 <(words_of "$folder/everything.rs") <(words_of "$firmware_folder/$everything") | xargs)
    say "everything calls more than then; words that only today's has, new names of old things among them: $changed"
}

# The table must be able to fail, at each of its numbers: one that is too large, one that is absent.
check_table() {
    local number
    for number in $(seq $((3 * ${#sized_images[@]}))); do
        awk -v number="$number" -v limit="$1" '{ print $1, $2, NR == number ? int($3 * (101 + limit) / 100) + 1 : $3 }' \
            "$folder/before" >"$folder/falsified"
        if compare_sizes "$folder/before" "$folder/falsified" "$1" >/dev/null; then fail 'growth is not seen'; fi
        sed "${number}d" "$folder/before" >"$folder/falsified"
        if compare_sizes "$folder/before" "$folder/falsified" "$1" >/dev/null; then fail 'a gap is not seen'; fi
    done
    compare_sizes "$folder/before" "$folder/before" "$1" >/dev/null || fail 'growth is seen where there is none'
}

sizes() {
    local folder=$logs/sizes since commit limit beyond grown=()
    packages git
    rm -rf "$folder" && mkdir -p "$folder"
    # All in one target folder, for the same dependencies: today's last, so that it is what the folder shows.
    for since in "${sizes_since[@]}"; do
        commit=${since%:*}
        if ! history_of cat-file -e "$commit^{commit}" 2>/dev/null; then
            not_run "sizes since ${commit:0:7}: this copy of the repository lacks that commit"
            continue
        fi
        measure_before "$commit"
        mv "$folder/before" "$folder/before-$commit"
    done
    measure_images >"$folder/now"
    for since in "${sizes_since[@]}"; do
        commit=${since%:*} limit=${since#*:}
        [[ -f $folder/before-$commit ]] || continue
        cp "$folder/before-$commit" "$folder/before"
        check_table "$limit"
        say "sizes since ${commit:0:7}; $limit % more is the limit"
        compare_sizes "$folder/before" "$folder/now" "$limit" || grown+=("more than $limit % since ${commit:0:7}")
    done

    build_images empty open >&2
    beyond=$(text_beyond_empty open)
    say "open: .text $beyond bytes beyond an empty image; $open_limit is the limit"
    ((beyond <= open_limit)) || grown+=("open: $beyond bytes beyond an empty image")
    if ((${#grown[@]})); then fail "an image has grown: ${grown[*]}"; fi
}
