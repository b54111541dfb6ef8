# The images for processors without an operating system: what they must not hold, what they must print, what they cost.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of one script share their variables

# Each image; the models that it holds; the first words of the lines that it prints as the host does; whether it may compute with floats;
# its processors, parted by commas, or all. To check and measure another image, add a line.
readonly images=(
    # image     models                  prints                floats  processors
    'inference  reviews.image           predictions           floats  all'
    'training   reviews.image           training,predictions  floats  all'
    'typed      intents.u8              u8                    floats  all'
    'open       intents.u8              u8                    floats  all'
    'formats    intents.u8,intents.f32  u8,f32                floats  all'
    'folded     intents.i8              i8                    none    all'
    'words      -                       ids                   none    all'
    'corrections intents.i8             before,steps,after    floats  all'
    'integer    reviews.image.i8        share                 none    all'
    'integers   -                       codes                 none    all'
    'everything -                       -                     floats  Cortex-M4F'
)

# What a figure of the report must not exceed, whatever was recorded before; `ram` is static RAM and stack. `s` is the profile of all
# images (opt-level "s", one unit).
readonly limits=(
    # processor image     profile figure most
    'Cortex-M0  inference s       .text        5120'
    'Cortex-M4F inference s       .text        4096'
    'Cortex-M4F training  s       .text       16384'
    'Cortex-M4F open      s       .text       12288'
    'Cortex-M0  folded    s       .text        2560'
    'Cortex-M0  folded    s       stack         512'
    'Cortex-M0  folded    s       prediction   8000'
    'Cortex-M4F integer   s       .text        3072'
    'Cortex-M0  training  s       ram         16384'
    'Cortex-M0  corrections s     ram          8192'
    'Cortex-M4F corrections s     ram          8192'
)

# The profiles of others, by which some images are linked for the Cortex-M4F and measured, too.
readonly profiles=(dev o1 o3) profiled_images=(inference training)

# What the report said last; the compiler that it is of stands in its first line.
readonly recorded_report=$root/tests/firmware/report.txt
# A figure may be larger by so many percent, or by so many bytes or instructions if that is more.
readonly growth=5 slack=16

# What a program that can panic is linked with.
panic_symbols() {
    arm-none-eabi-nm "$1" >"$logs/symbols.txt" || fail "$1 cannot be read"
    grep -E 'panic|rust_begin_unwind|unwrap_failed|expect_failed|slice_[a-z_]*fail|fmt9Formatter' "$logs/symbols.txt"
}

# What computes with floats in a program: `float_code PROCESSOR FILE`. Routines for processors without floats, and instructions; RV32IMAC
# has none of these, and binutils for Arm read its symbols alone.
float_code() {
    {
        arm-none-eabi-nm "$2"
        if [[ $1 == Cortex-* ]]; then arm-none-eabi-objdump -d "$2"; fi
    } >"$logs/code.txt" || fail "$2 cannot be read"
    grep -E $' (__aeabi_([fd]|[a-z]+2[fd])[a-z0-9]*|__[a-z]+[sd]f([23]|[sd]i)?)$|\tv[a-z0-9.]+\\.f(32|64)' "$logs/code.txt"
}

# The lines of the images for a processor.
images_for() {
    local line
    for line in "${images[@]}"; do
        if [[ $line == *' all' || ,${line##* }, == *,$1,* ]]; then printf '%s\n' "$line"; fi
    done
}

# Links all images: those for the same processors at once.
link_all() {
    local on line names list
    link_images "$(targets_of "${processors[@]}")" release empty control
    for on in $(printf '%s\n' "${images[@]##* }" | sort -u); do
        list=${on/#all/${processors[*]}} names=()
        for line in "${images[@]}"; do if [[ ${line##* } == "$on" ]]; then names+=("${line%% *}"); fi; done
        # shellcheck disable=SC2046,SC2086 # words
        link_images "$(targets_of ${list//,/ })" release "${names[@]}"
    done
    for on in "${profiles[@]}"; do link_images "${target_of[Cortex-M4F]}" "$on" empty "${profiled_images[@]}"; done
}

# Links all images and runs them; sees that none can panic and that all print what the host does. Once, for all parts. The programs and what
# they print are in `$logs/images/PROCESSOR/PROFILE`.
run_images() {
    local processor profile
    if [[ -n ${images_ran:-} ]]; then return; fi
    packages qemu-system-arm qemu-system-misc binutils-arm-none-eabi
    build_host
    train_models
    link_all
    for processor in "${processors[@]}"; do check_images_of "$processor"; done
    for profile in "${profiles[@]}"; do collect Cortex-M4F "$profile" empty "${profiled_images[@]}"; done
    images_ran=yes
}

# Runs images that were linked.
collect() {
    local processor=$1 profile=$2 folder=$logs/images/$1/$2 image
    rm -rf "$folder" && mkdir -p "$folder"
    shift 2
    for image in "$@"; do
        cp "$(image_at "$processor" "$profile" "$image")" "$folder"
        run_image "$processor" "$folder/$image" -icount shift=0 >"$folder/$image.txt" || fail "$image on $processor failed"
    done
}

check_images_of() {
    local processor=$1 folder=$logs/images/$1/release line image prints floats names=() word lines
    mapfile -t lines < <(images_for "$processor")
    for line in "${lines[@]}"; do names+=("${line%% *}"); done
    collect "$processor" release empty "${names[@]}"
    # The searches see what they search for.
    panic_symbols "$(image_at "$processor" release control)" >/dev/null || fail 'the control image can panic, but the check does not see it'
    float_code "$processor" "$folder/formats" >"$folder/floats" || fail 'formats computes with floats, but the check does not see it'
    if [[ $processor == Cortex-M4F ]]; then grep -F .f32 "$folder/floats" >/dev/null || fail 'instructions on floats are not seen'; fi
    for line in "${lines[@]}"; do
        read -r image _ prints floats _ <<<"$line"
        if panic_symbols "$folder/$image"; then fail "$image on $processor can panic"; fi
        if [[ $floats == none ]] && float_code "$processor" "$folder/$image"; then fail "$image on $processor computes with floats"; fi
        for word in ${prints//[,-]/ }; do
            grep -h "^$word " "$models"/*.txt >"$folder/host" || fail "the host prints no line $word"
            diff "$folder/host" <(grep "^$word " "$folder/$image.txt") || fail "$image on $processor: not what the host prints"
        done
    done
    say "$processor: ${names[*]}: no panic, what the host prints"
}

firmware() {
    run_images
    mkdir -p "$logs/example"
    TMPDIR=$logs/example cargo run --release -p reviews | tail -n 3
    cmp "$models/reviews.image" "$logs/example/reviews.image" || fail 'the example reviews writes another image'
    say 'the example reviews wrote the same image'
}

# A row of the report: `row PROCESSOR PROFILE IMAGE MODELS`. Sizes are those beyond the empty image, without the models; the row of
# the empty image has its own. The stack is all of it.
row() {
    local processor=$1 profile=$2 image=$3 folder=$logs/images/$1/$2 model
    {
        if [[ $image != empty ]]; then arm-none-eabi-size -A "$folder/empty" | sed 's/^/empty /'; fi
        arm-none-eabi-size -A "$folder/$image" | sed 's/^/size /'
        for model in ${4//[,-]/ }; do printf 'model %d\n' "$(stat -c %s "$models/$model")"; done
        sed 's/^/printed /' "$folder/$image.txt"
    } | awk -v start="$processor $image ${profile/#release/s}" '
        BEGIN {
            part[".text"] = 1
            part[".rodata"] = part[".vector_table"] = 2
            part[".data"] = part[".bss"] = part[".uninit"] = 3
            for (i = 4; i <= 7; i++) figure[i] = "-"
        }
        $1 == "size" && $2 in part { figure[part[$2]] += $3 }
        $1 == "empty" && $2 in part { figure[part[$2]] -= $3 }
        $1 == "model" { figure[2] -= $2; models += $2 }
        /^printed stack bytes/ { figure[4] = $NF }
        /^printed instructions for a prediction [0-9]/ { figure[5] = $NF }
        /^printed instructions for an example/ { figure[6] = $NF }
        /^printed instructions for a word/ { figure[7] = $NF }
        END {
            printf "%s %d", start, models
            for (i = 1; i <= 7; i++) printf " %s", figure[i] == "-" ? "-" : figure[i] + 0
            printf "\n"
        }'
}

rows() {
    local processor profile image models_in line
    printf 'processor image profile model .text .rodata static stack prediction example word\n'
    for processor in "${processors[@]}"; do
        row "$processor" release empty -
        while read -r image models_in _; do row "$processor" release "$image" "$models_in"; done < <(images_for "$processor")
    done
    for profile in "${profiles[@]}"; do
        row Cortex-M4F "$profile" empty -
        for image in "${profiled_images[@]}"; do
            read -r _ models_in _ < <(printf '%s\n' "${images[@]}" | grep "^$image ")
            row Cortex-M4F "$profile" "$image" "$models_in"
        done
    done
}

# Compares a report with another, the recorded one first; fails if a figure has grown or a row stands in one alone.
compare_reports() {
    awk -v growth="$growth" -v slack="$slack" '
        $1 == "#" { next }
        $1 == "processor" { for (i = 4; i <= NF; i++) name[i] = $i; next }
        { key = $1 " " $2 " " $3 }
        FNR == NR { rows[key] = 1; for (i = 4; i <= NF; i++) before[key, i] = $i; next }
        !(key in rows) { printf "%s: not recorded\n", key; failed = 1; next }
        {
            delete rows[key]
            for (i = 4; i <= NF || (key, i) in before; i++) {
                old = before[key, i]
                most = old * (100 + growth) / 100
                if (most < old + slack) most = old + slack
                if ((old == "-") != ($i == "-") || old == "" || $i == "" || $i + 0 > most) {
                    printf "%s: %s was %s and is %s\n", key, name[i], old, $i
                    failed = 1
                }
            }
        }
        END {
            for (key in rows) { printf "%s: missing\n", key; failed = 1 }
            exit failed
        }' "$1" "$2"
}

# Compares a report with limits; a limit of something that the report does not have fails, too.
check_limits() {
    printf '%s\n' "${@:2}" | awk '
        $1 == "#" { next }
        FNR == NR && $1 == "processor" { for (i = 4; i <= NF; i++) name[i] = $i; next }
        FNR == NR {
            for (i = 4; i <= NF; i++) figure[$1, $2, $3, name[i]] = $i
            figure[$1, $2, $3, "ram"] = figure[$1, $2, $3, "static"] + figure[$1, $2, $3, "stack"]
            next
        }
        {
            found = figure[$1, $2, $3, $4]
            if (found !~ /^[0-9]+$/ || found + 0 > $5 + 0) { printf "%s on %s, %s: %s is %s, at most %d\n", $2, $1, $3, $4, found, $5; failed = 1 }
        }
        END { exit failed }' "$1" -
}

# The comparison must be able to fail: at each figure, at each row, at each limit.
check_comparison() {
    local good=$1 bad=$logs/report-falsified.txt line limit
    compare_reports "$good" "$good" || fail 'growth is seen where there is none'
    while read -r line field; do
        awk -v line="$line" -v field="$field" 'NR == line { $field += int(($field > 0 ? $field : 0) * 0.06) + 17 } { print }' "$good" >"$bad"
        if compare_reports "$good" "$bad" >/dev/null; then fail "growth in line $line of the report is not seen"; fi
    done < <(awk '$1 != "#" && $1 != "processor" { for (i = 4; i <= NF; i++) if ($i != "-") print NR, i }' "$good")
    while read -r line; do
        sed "${line}d" "$good" >"$bad"
        if compare_reports "$good" "$bad" >/dev/null; then fail "that line $line of the report is missing is not seen"; fi
        if compare_reports "$bad" "$good" >/dev/null; then fail "that line $line of the report is new is not seen"; fi
    done < <(awk '$1 != "#" && $1 != "processor" { print NR }' "$good")
    for limit in "${limits[@]}"; do
        if check_limits "$good" "${limit% *} 0" >/dev/null; then fail "the limit of ${limit% *} is not seen"; fi
    done
}

# The report as the documentation shows it.
readonly documentation=$root/docs/devices.md
report_in_documentation() { sed -n '/^# rustc/,/^```$/p' "$documentation" | sed '$d'; }

record_report() {
    cp "$1" "$recorded_report"
    awk -v file="$1" '
        /^```text$/ { text = 1; print; next }
        text && (/^# rustc/ || /^report$/) { while ((getline line <file) > 0) print line; skip = 1 }
        /^```$/ { skip = 0 }
        { text = 0 }
        !skip { print }' "$documentation" >"$logs/documentation.md"
    cp "$logs/documentation.md" "$documentation"
    say 'the report is recorded'
}

report() {
    local found=$logs/report.txt
    run_images
    use_target "$(targets_of "${processors[@]}")"
    {
        printf '# %s\n' "$compiler"
        rows | column -t
    } >"$found"
    cat "$found"
    check_comparison "$found"
    check_limits "$found" "${limits[@]}" || fail 'the report exceeds a limit'
    if [[ ${NANOEMBED_WRITE_REPORT:-} == 1 ]]; then record_report "$found"; fi
    diff <(report_in_documentation) "$recorded_report" || fail "$documentation shows another report than the recorded one"
    if ! head -n 1 "$recorded_report" | grep -qxF "# $compiler"; then say "this is $compiler; the report was recorded with another"; fi
    compare_reports "$recorded_report" "$found" || fail 'the report differs from the recorded one; NANOEMBED_WRITE_REPORT=1 .ci/run report records it'
}
