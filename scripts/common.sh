# Sourced by the other scripts: where the project is, and how packages get onto the machine.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What a build needs. mmdebstrap and friends are in the lists of the scripts that use them.
build_packages=(libseccomp-dev libsqlite3-dev libisal-dev libzstd-dev libbz2-dev liblzma-dev libyaml-dev libnftables-dev libcrypt-dev
    musl-dev musl-tools zlib1g-dev pkg-config binutils python3)
run_packages=(iproute2 nftables procps)

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

need_root() { ((EUID == 0)) || die "needs root (it $1): run it with sudo"; }

# install_packages PACKAGE..: installs what is missing, with Debian's apt.
install_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    need_root "installs ${missing[*]}"
    echo "installing: ${missing[*]}"
    apt-get update -qq
    # Servers among them (docker-registry, containerd) must not start by themselves.
    local policy=/usr/sbin/policy-rc.d made=
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made=1
    fi
    local status=0
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || status=$?
    [[ -z $made ]] || rm -f "$policy"
    ((status == 0)) || die "apt-get could not install ${missing[*]}"
}

swift_version=6.3
need_swift() {
    command -v swift >/dev/null || die "needs Swift $swift_version or newer: https://www.swift.org/install/linux/"
}

# The toolchain's libFuzzer, without a main of its own: SwiftPM gives every program one.
fuzzer_library() {
    local swiftc
    swiftc=$(readlink -f "$(command -v swiftc)")
    find "$(dirname "$swiftc")/../lib" -name "libclang_rt.fuzzer_no_main-$(uname -m).a" -print -quit | xargs realpath
}

# The toolchain's directory of Embedded Swift's libraries.
embedded_library_path() {
    local swiftc
    swiftc=$(readlink -f "$(command -v swiftc)")
    echo "$(dirname "$swiftc")/../lib/swift/embedded/x86_64-unknown-linux-gnu"
}
