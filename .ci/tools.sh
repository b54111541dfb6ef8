# Messages, Debian packages, compilers for other targets.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of one script share their variables

say() { printf -- '--- %s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Something that this machine cannot run: shown now and at the end.
not_run() {
    missing+=("$*")
    say "NOT RUN: $*"
}

# Installs those of these Debian packages that are not there.
packages() {
    local package absent=()
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep '^ii' >/dev/null || absent+=("$package")
    done
    if ((${#absent[@]} == 0)); then return; fi
    if ((EUID != 0)); then fail "as root: apt-get install --no-install-recommends ${absent[*]}"; fi
    say "installing ${absent[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${absent[@]}" >"$logs/apt.txt"
}

# Makes ready to build for a target, or for several, parted by commas, at once. Sets `cross`, the cargo that can; `options`, which go behind
# its subcommand; `built`, where the folder of each target is; `out`, where the release builds of the last one are; `compiler`, which one
# it is. This is rustup's compiler if it has the targets, and those of the third argument; otherwise Debian's, which comes with the library
# sources and builds of them what the second argument says (core).
use_target() {
    local target targets=${1//,/ } library=${2:-core} others=${3:-} lacks='' linker
    options=()
    for target in $targets; do options+=(--target "$target"); done
    for target in $targets ${others//,/ }; do
        rustup target list --installed 2>/dev/null | grep -x "$target" >/dev/null || lacks=yes
    done
    if [[ -z $lacks ]]; then
        built=$root/target/cross
        cross=(env CARGO_TARGET_DIR="$built" cargo)
        compiler=$(rustc --version)
    else
        packages rustc-web cargo-web rust-web-src lld
        built=$root/target/cross-debian
        cross=(env RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$built")
        for target in $targets; do
            case $target in
                thumb* | riscv32*) linker=ld.lld ;;
                wasm32*) linker=wasm-ld ;;
                *) continue ;;
            esac
            cross+=("CARGO_TARGET_$(variable "$target")_LINKER=$linker")
        done
        cross+=(/usr/bin/cargo)
        options+=("-Zbuild-std=$library")
        compiler=$(/usr/bin/rustc --version)
    fi
    out=$built/$target/release
}

# AArch64 with an operating system, emulated.
use_aarch64() {
    packages qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    use_target aarch64-unknown-linux-gnu std,panic_abort
    aarch64_runner=(qemu-aarch64 -L /usr/aarch64-linux-gnu)
    cross=(env CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="${aarch64_runner[*]}" "${cross[@]}")
}

# A target's name as cargo's environment variables have it.
variable() {
    local name=${1//[-.]/_}
    printf '%s' "${name^^}"
}
