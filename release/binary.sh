#!/bin/bash
# Builds the static binary of this machine's architecture into dist/, as the images take it.
#
#   release/binary.sh
#
# cargo-auditable puts the list of crates into the binary, where scanners find it: that is how the
# images' SBOMs come to name them.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."

readonly CARGO_AUDITABLE=0.7.7

main() {
    local architecture target
    case $(uname -m) in
    x86_64) architecture=amd64 ;;
    aarch64) architecture=arm64 ;;
    *)
        echo "binary.sh: there is no image for $(uname -m)" >&2
        exit 69
        ;;
    esac
    if ! cargo auditable --version >/dev/null 2>&1; then
        cargo install --locked --version "$CARGO_AUDITABLE" cargo-auditable
    fi
    cargo auditable build --locked --release --bin dind-init
    target=${CARGO_TARGET_DIR:-target}/$(rustc -vV | sed -n 's/^host: //p')
    install -D "$target/release/dind-init" "dist/$architecture/dind-init"
    # Beside it, what users and runners call it by; images/release.Dockerfile copies both.
    ln -sfn dind-init "dist/$architecture/dockerd-entrypoint.sh"
}

main
