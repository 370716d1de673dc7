#!/bin/bash
# Sees to it that everything `make` uses is on this machine: installs what is missing where that is
# possible (Debian and its children, as root), and otherwise says exactly what to run, and stops.
#
#   images/tools.sh build|pods|fuzz
set -euo pipefail

# What builds: aws-lc is C, so a C compiler and the C library's headers. git names the commit. busybox:
# a shell that the component's scripts are tried with.
packages=(gcc libc6-dev git shellcheck busybox)
if [ "$1" = pods ]; then
    # What makes the base images, runs the pods, and speaks to them.
    packages+=(debootstrap debian-archive-keyring podman netavark aardvark-dns catatonit uidmap runc
        iptables nftables openssl curl ca-certificates)
fi
if [ "$1" = fuzz ]; then
    packages+=(g++)
fi

main() {
    if ! command -v apt-get >/dev/null; then
        echo "make: this is not Debian; these tests expect the counterparts of: ${packages[*]}" >&2
    else
        install_missing
    fi
    if ! command -v cargo >/dev/null; then
        cat >&2 <<'END'
make: there is no Rust toolchain here. See https://rustup.rs, in short:
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy -c rustfmt
  . "$HOME/.cargo/env"
(The version that is needed is `rust-version` in Cargo.toml; Debian's own is usually older.)
END
        exit 69
    fi
    if [ "$1" = pods ] && [ "$(id -u)" != 0 ]; then
        cat >&2 <<'END'
make: a docker-in-docker service is a privileged container, and debootstrap needs root as well.
Run this as root, for example:  sudo --preserve-env=PATH,HOME make ...
END
        exit 77
    fi
}

install_missing() {
    local missing=()
    for package in "${packages[@]}"; do
        if [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
    if [ ${#missing[@]} = 0 ]; then
        return
    fi
    if [ "$(id -u)" != 0 ]; then
        echo "make: some tools are missing. As root, run:" >&2
        echo "  apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}" >&2
        exit 69
    fi
    echo "make: installing ${missing[*]}" >&2
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -q "${missing[@]}" >&2
}

main "$1"
