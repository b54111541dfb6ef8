# The parts that run programs of tests/firmware: on this processor, and on emulated ones.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of one script share their variables

firmware_folder=$root/tests/firmware
# Where the host puts the trained models.
models=$logs/models

# Builds the host's program; sets `host` to it.
build_host() {
    CARGO_TARGET_DIR=$root/target/firmware cargo build --manifest-path "$firmware_folder/Cargo.toml" --profile host -p host
    host=$root/target/firmware/host/host
}

# The processors without an operating system, the smallest first: Rust's name of the target, the emulator and its board.
readonly processors=(Cortex-M0 Cortex-M3 Cortex-M4F Cortex-M33 RV32IMAC)
declare -rA target_of=(
    [Cortex-M0]=thumbv6m-none-eabi
    [Cortex-M3]=thumbv7m-none-eabi
    [Cortex-M4F]=thumbv7em-none-eabihf
    [Cortex-M33]=thumbv8m.main-none-eabihf
    [RV32IMAC]=riscv32imac-unknown-none-elf
)
declare -rA emulator_of=(
    [Cortex-M0]='qemu-system-arm -machine microbit'
    [Cortex-M3]='qemu-system-arm -machine mps2-an385'
    [Cortex-M4F]='qemu-system-arm -machine mps2-an386'
    [Cortex-M33]='qemu-system-arm -machine mps2-an505'
    [RV32IMAC]='qemu-system-riscv32 -machine virt -bios none'
)

# Trains the models that the images hold, and writes down what the host computes with them.
train_models() {
    local file
    mkdir -p "$models" "$models.new"
    "$host" image "$models.new/reviews.image" >"$models/reviews.txt"
    "$host" intents "$models.new/intents" >"$models/intents.txt"
    "$host" corrections "$models.new/intents" >"$models/corrections.txt"
    # The file of an equal model stays as it is: the images are not linked again.
    for file in "$models.new"/*; do cmp -s "$file" "$models/${file##*/}" || cp "$file" "$models"; done
}

# The targets of processors, parted by commas.
targets_of() {
    local processor list=()
    for processor in "$@"; do list+=("${target_of[$processor]}"); done
    (IFS=, && printf '%s' "${list[*]}")
}

# Links images: `link_images TARGETS PROFILE IMAGE ... [OPTION OF CARGO ...]`; `image_at` says where they are.
link_images() {
    local profile=$2 bins=()
    # By one compiler, all of them.
    use_target "$1" core "$(targets_of "${processors[@]}")"
    shift 2
    while (($#)) && [[ $1 != -* ]]; do
        bins+=(--bin "$1")
        shift
    done
    (cd "$firmware_folder" && NANOEMBED_IMAGE=$models/reviews.image NANOEMBED_INTENTS=$models/intents \
        "${cross[@]}" build --profile "$profile" -p images "${bins[@]}" "${options[@]}" "$@")
}

# Where an image was linked: `image_at PROCESSOR PROFILE IMAGE`. What cargo builds by its profile `dev` is in `debug`.
image_at() { printf '%s' "$built/${target_of[$1]}/${2/#dev/debug}/$3"; }

# Runs an image: `run_image PROCESSOR FILE [OPTION OF QEMU ...]`; what it prints goes to standard output. With `-icount shift=0` it can
# count its instructions.
run_image() {
    local emulator
    read -ra emulator <<<"${emulator_of[$1]}"
    timeout 1200 "${emulator[@]}" -display none -monitor none -serial none -chardev stdio,id=host \
        -semihosting-config enable=on,target=native,chardev=host -kernel "$2" "${@:3}" </dev/null
}

digest() {
    local level model status processor memory feature run runs=() folder=$logs/digest columns=("recorded=$root/tests/golden/digest.txt")
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
        # The emulator warns of what it lacks.
        level=$(qemu-x86_64 -cpu "${model%:*}" "$host" levels 2>"$folder/warnings" | tail -n 1)
        [[ $level == "${model#*:}" ]] || fail "on ${model%:*} the level is $level"
        say "${model%:*}, emulated: $level is found"
        qemu-x86_64 -cpu "${model%:*}" "$host" digest >"$folder/${model%:*}" 2>"$folder/warnings" || fail "$(cat "$folder/warnings")"
        columns+=("${model%:*} $level=$folder/${model%:*}")
    done

    packages qemu-system-arm qemu-system-misc
    train_models
    link_images "$(targets_of "${processors[@]}")" digest digest --features digest
    for processor in "${processors[@]}"; do
        # The digest takes more memory than a micro:bit has.
        memory=()
        if [[ $processor == Cortex-M0 ]]; then memory=(-global nrf51-soc.sram-size=4194304 -global nrf51-soc.flash-size=4194304); fi
        # While the next one is built.
        run_image "$processor" "$(image_at "$processor" digest digest)" "${memory[@]}" >"$folder/$processor" &
        runs+=($!)
        columns+=("$processor=$folder/$processor")
    done

    command -v node >/dev/null || packages nodejs
    for feature in -simd128 +simd128; do
        RUSTFLAGS="-C target-feature=$feature" link_images wasm32-unknown-unknown digest digest --features digest
        node "$firmware_folder/images/run.mjs" "$built/wasm32-unknown-unknown/digest/digest.wasm" >"$folder/wasm$feature"
        columns+=("WASM $feature=$folder/wasm$feature")
    done

    use_aarch64
    (cd "$firmware_folder" && "${cross[@]}" build --profile host -p host "${options[@]}")
    "${aarch64_runner[@]}" "${out%/*}/host/host" digest >"$folder/aarch64"
    columns+=("AArch64 NEON=$folder/aarch64")

    for run in "${runs[@]}"; do wait "$run" || fail 'a digest on an emulated processor ended with an error'; done
    # The table must be able to fail.
    sed '$s/.$/-/' "$folder/sse2" >"$folder/falsified"
    if "$host" table "a=$folder/sse2" "b=$folder/falsified" >/dev/null; then fail 'the table does not see a difference'; fi
    "$host" table "${columns[@]}"
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
