#!/bin/bash
# Writes archives/dind-init-VERSION-source.tar.gz: this commit with every crate that it is built
# from, so that `cargo build --offline --locked` in it needs nothing but the toolchain.
#
#   release/source.sh VERSION
#
# Twice the same commit makes twice the same bytes.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."

main() {
    local name=dind-init-$1-source
    mkdir -p archives
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT

    mkdir "$work/$name"
    git archive HEAD | tar --extract --directory "$work/$name"
    (cd "$work/$name" && cargo vendor --quiet --locked --versioned-dirs vendor >/dev/null)
    # What cargo would print as settings names the mirror that this machine may be using.
    cat >>"$work/$name/.cargo/config.toml" <<'END'

[source.crates-io]
replace-with = "vendored-sources"

[source.vendored-sources]
directory = "vendor"
END
    tar --create --directory "$work" --sort=name --format=gnu --numeric-owner --owner=0 --group=0 \
        --mtime="@$(git log -1 --format=%ct)" --mode='u=rwX,go=rX' "$name" \
        | gzip --no-name >"archives/$name.tar.gz"
}

if [ $# != 1 ]; then
    echo "usage: $0 VERSION" >&2
    exit 64
fi
main "$1"
