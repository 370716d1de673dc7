# shellcheck shell=bash
# Sourced: the candidates of a release, and what was tested of them. They are files, which GitLab
# keeps as artifacts between the jobs of one pipeline:
#
#   candidates/29.7.2-dind                      the image, as repository@digest
#   tested/SUITE/ARCHITECTURE/29.7.2-dind       the image that passed, as repository@digest
#
# A tag is only ever given to a digest that each of these names, so that what is tagged is what was
# tested, whatever the pipeline's graph says.

# As the registry calls them. Each needs a runner that is one.
# shellcheck disable=SC2034
readonly ARCHITECTURES=(amd64 arm64)

# Prints the suites that an image has to pass.
suites_of() {
    case $1 in
    # Its dockerd opens its own sockets and has no root: the scenarios of the other do not fit.
    dind-rootless) echo rootless ;;
    *) echo e2e compliance ;;
    esac
}

# Prints the candidate of a Docker version and variant, as repository@digest.
candidate() {
    local file=candidates/$1-$2
    if ! grep -qxE '[^@[:space:]]+@sha256:[0-9a-f]{64}' "$file" 2>/dev/null; then
        echo "release: $file names no image by its digest; release/image.sh writes it" >&2
        return 65
    fi
    cat "$file"
}

# What Cargo.toml says.
our_version() {
    sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | sed -n 1p
}
