# The parts that run programs of tests/firmware: on this processor, and on emulated ones.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of one script share their variables

firmware_folder=$root/tests/firmware
# Where the host puts the trained models, without what the files' names end with.
reviews=$logs/reviews intents=$logs/intents

# Builds the host's program; sets `host` to it.
build_host() {
    CARGO_TARGET_DIR=$root/target/firmware cargo build --manifest-path "$firmware_folder/Cargo.toml" --profile host -p host
    host=$root/target/firmware/host/host
}

# Builds the images for the Cortex-M4F, or those named, with the models that the host trained; `out` is where they are.
build_images() {
    local rows
    packages qemu-system-arm binutils-arm-none-eabi
    "$host" image "$reviews.new" >"$reviews.txt"
    # The file of an equal model stays as it is: the images are not linked again.
    cmp -s "$reviews.new" "$reviews.image" || cp "$reviews.new" "$reviews.image"
    # Earlier commits have no such model.
    if [[ -f $firmware_folder/host/src/intents.rs ]]; then
        "$host" intents "$intents.new" >"$intents.txt"
        for rows in f32 u8 i8; do
            # Earlier hosts fold nothing.
            [[ -f $intents.new.$rows ]] || continue
            cmp -s "$intents.new.$rows" "$intents.$rows" || cp "$intents.new.$rows" "$intents.$rows"
        done
    fi
    link_images thumbv7em-none-eabihf "$@"
}

# Links images, all or those named, for a target with the models that are there; `out` is where they are.
link_images() {
    use_target "$1"
    shift
    (cd "$firmware_folder" && NANOEMBED_IMAGE=$reviews.image NANOEMBED_INTENTS=$intents "${cross[@]}" build --release -p images "${@/#/--bin=}" "${options[@]}")
}

# Runs an image, on a Cortex-M4F if no other target is named; what it prints goes to standard output. With `-icount shift=0` it can count
# its instructions.
run_image() {
    local machine=(-machine mps2-an386 -cpu cortex-m4)
    if [[ ${2:-} == thumbv6m* ]]; then machine=(-machine microbit); fi
    timeout 300 qemu-system-arm "${machine[@]}" -icount shift=0 \
        -display none -monitor none -serial none -chardev stdio,id=host \
        -semihosting-config enable=on,target=native,chardev=host -kernel "$out/$1" </dev/null
}

digest() {
    local level model status folder=$logs/digest columns=("recorded=$root/tests/golden/digest.txt")
    rm -rf "$folder" && mkdir -p "$folder"
    packages qemu-user
    build_host

    for level in sse2 avx2 avx512; do
        status=0
        "$host" digest "$level" >"$folder/$level" || status=$?
        case $status in
            0) ;;
            3) rm "$folder/$level" && not_run "the digest at level $level, which this processor lacks" ;;
            *) fail "the digest at level $level ended with status $status" ;;
        esac
        columns+=("x86-64 $level=$folder/$level")
    done
    # The lower levels as an older processor has them: found, not chosen.
    for model in Nehalem:sse2 Haswell:avx2; do
        level=$(qemu-x86_64 -cpu "${model%:*}" "$host" levels 2>/dev/null | tail -n 1)
        [[ $level == "${model#*:}" ]] || fail "on ${model%:*} the level is $level"
        say "${model%:*}, emulated: $level is found"
        qemu-x86_64 -cpu "${model%:*}" "$host" digest >"$folder/${model%:*}" 2>/dev/null
        columns+=("${model%:*} $level=$folder/${model%:*}")
    done

    build_images
    run_image digest >"$folder/cortex-m4f"
    columns+=("Cortex-M4F=$folder/cortex-m4f")

    use_aarch64
    (cd "$firmware_folder" && "${cross[@]}" build --profile host -p host "${options[@]}")
    "${aarch64_runner[@]}" "${out%/*}/host/host" digest >"$folder/aarch64"
    columns+=("AArch64 NEON=$folder/aarch64")

    # The table must be able to fail.
    sed '$s/.$/-/' "$folder/sse2" >"$folder/falsified"
    if "$host" table "a=$folder/sse2" "b=$folder/falsified" >/dev/null; then fail 'the table does not see a difference'; fi
    "$host" table "${columns[@]}"
}

# What a program that can panic is linked with.
panic_symbols() {
    arm-none-eabi-nm "$out/$1" | grep -E 'panic|rust_begin_unwind|unwrap_failed|expect_failed|slice_[a-z_]*fail|fmt9Formatter'
}

# .text, other flash, and static RAM of an image.
print_size() {
    arm-none-eabi-size -A "$out/$1" | awk -v image="$1" '
        $1 ~ /^\.(text|vector_table|rodata|data|bss|uninit)$/ { size[$1] = $2 }
        END {
            printf "%s: .text %d bytes, read-only data %d (with the model), static RAM %d\n", image, size[".text"],
                size[".rodata"] + size[".vector_table"], size[".data"] + size[".bss"] + size[".uninit"]
        }'
}

# Bytes of .text of an image beyond those of an empty one.
text_beyond_empty() {
    local image
    for image in empty "$1"; do arm-none-eabi-size -A "$out/$image"; done |
        awk '$1 == ".text" { beyond = $2 - beyond } END { print beyond }'
}

firmware() {
    local image line
    build_host
    build_images
    panic_symbols control >"$logs/control.txt" || fail 'the control image can panic, but the check does not see it'
    say "control: the check sees $(wc -l <"$logs/control.txt") panic symbols"
    for image in everything inference training open formats typed; do
        if panic_symbols "$image"; then fail "the $image image can panic"; fi
        say "$image: no panic symbol"
        run_image "$image" | tee "$logs/$image.txt"
        print_size "$image"
    done
    # The hashes of training and predictions, as the host has them.
    while read -r line; do
        grep -qx "$line" "$logs/training.txt" || fail "training: the host has $line"
    done <"$logs/reviews.txt"
    grep -qx "$(grep predictions "$logs/reviews.txt")" "$logs/inference.txt" || fail 'inference: other predictions than on the host'
    say 'training and predictions have the bits of the host'
    # The same answers, and no other.
    for image in open typed; do
        diff <(grep '^u8 ' "$intents.txt") <(grep '^u8 ' "$logs/$image.txt") || fail "$image: other answers than on the host"
    done
    diff <(grep -v '^i8 ' "$intents.txt" | sort) <(grep -E '^(u8|f32) ' "$logs/formats.txt" | sort) || fail 'formats: other answers than on the host'
    say 'the answers to texts have the bits of the host'
    folded
    for image in open formats typed; do say "$image: .text $(text_beyond_empty "$image") bytes beyond an empty image"; done

    mkdir -p "$logs/example"
    TMPDIR=$logs/example cargo run --release -p reviews | tail -n 3
    cmp "$logs/reviews.image" "$logs/example/reviews.image" || fail 'the example reviews writes another image'
    say 'the example reviews wrote the same image'
}

# What computes with floats in a program that was disassembled: instructions, and routines for processors without them.
float_instructions() { grep -E $'<__aeabi_([fd]|[a-z]+2[fd])|\tv[a-z0-9.]+\.f(32|64)' "$logs/$1.s"; }

# The classifier as one table of integers, on a Cortex-M4F and on a Cortex-M0: the answers of the host, no panic, no float, and not more
# code, stack and instructions than it was made to take.
folded() {
    local board image=folded code stack count limits most_code most_stack most_count
    # The search sees a program that computes with floats.
    arm-none-eabi-objdump -d "$out/formats" >"$logs/formats.s"
    float_instructions formats >/dev/null || fail 'formats computes with floats, but the check does not see it'
    for board in thumbv7em-none-eabihf:2816:448:7000 thumbv6m-none-eabi:3328:512:10300; do
        limits=${board#*:} board=${board%%:*}
        link_images "$board" empty "$image"
        if panic_symbols "$image"; then fail "the $image image can panic"; fi
        arm-none-eabi-objdump -d "$out/$image" >"$logs/$image.s"
        if float_instructions "$image"; then fail "the $image image computes with floats"; fi
        run_image "$image" "$board" | tee "$logs/$image.txt"
        diff <(grep '^i8 ' "$intents.txt") <(grep '^i8 ' "$logs/$image.txt") || fail "$image: other answers than on the host"
        code=$(text_beyond_empty "$image") stack=$(awk '/^stack/ { print $NF }' "$logs/$image.txt") count=$(awk '/^instructions/ { print $NF }' "$logs/$image.txt")
        say "$image on $board: $code bytes of code beyond an empty image, $stack of stack, $count instructions for 16 words"
        IFS=: read -r most_code most_stack most_count <<<"$limits"
        ((code <= most_code && stack <= most_stack && count <= most_count)) || fail "$image on $board: at most $limits"
    done
    use_target thumbv7em-none-eabihf
}

# Products that overflow 32 bits, tables that no 32 bits can count. This processor runs it, not an emulated one.
bits32() {
    local target=i686-unknown-linux-musl
    rustup target add "$target" >/dev/null 2>&1 || true
    if ! rustup target list --installed 2>/dev/null | grep -x "$target" >/dev/null; then
        not_run "the test suite with 32 bits: rustup has no $target"
        return
    fi
    # A dependency of the benches has a file in C that needs no library.
    CC_i686_unknown_linux_musl='gcc -m32 -ffreestanding' PROPTEST_CASES=32 cargo test --target "$target" --all-features --lib --tests
}

# The integration tests and unit tests; property tests with fewer cases, for emulation is slow.
aarch64() {
    use_aarch64
    PROPTEST_CASES=32 "${cross[@]}" test --all-features --lib --tests --release "${options[@]}"
}
