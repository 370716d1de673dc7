#!/bin/bash
# Makes the commit of a release: the version in Cargo.toml and what is made from it, and the
# CHANGELOG's section. `make release VERSION=1.2.3` calls it.
#
#   release/prepare.sh 1.2.3
#
# Everything that can be refused is refused before anything is written; what fails later is undone.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."

# https://semver.org, without build metadata: a container tag cannot hold a plus sign.
readonly SEMVER='^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$'

main() {
    local version=$1 current
    current=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | sed -n 1p)
    check "$version" "$current"

    trap 'git restore --staged --worktree . && echo "release: nothing was changed" >&2' EXIT
    write_manifests "$version" "$current"
    write_changelog "$version"
    render
    git add --update
    git commit --quiet --message "Release $version"
    trap - EXIT

    cat <<END
The commit is made. What is pushed as a tag is released:
  git push origin HEAD
  git tag --annotate $version --message 'Release $version'
  git push origin $version
END
}

check() {
    local version=$1 current=$2
    if [[ ! $version =~ $SEMVER ]]; then
        refuse 64 "\`$version\` is not a semantic version such as 1.2.3 or 1.2.3-rc.1"
    fi
    if [ -n "$(git status --porcelain)" ]; then
        git status --short >&2
        refuse 65 "the working tree has changes; commit or stash them, so that the release is one commit"
    fi
    if git rev-parse --quiet --verify "refs/tags/$version" >/dev/null; then
        refuse 65 "the tag $version exists already: $(git log -1 --format='%h %s' "$version")"
    fi
    if ! is_newer "$version" "$current"; then
        refuse 65 "$version is older than $current, which Cargo.toml says"
    fi
    release/changelog.sh Unreleased >/dev/null
}

refuse() {
    echo "release: $2" >&2
    exit "$1"
}

# The first release has the version that Cargo.toml was begun with. `sort` knows, of a version and
# its release candidates, a tilde as the sign of what comes before.
is_newer() {
    [ "$(printf '%s\n' "${1/-/\~}" "${2/-/\~}" | sort --version-sort | sed -n '$p')" = "${1/-/\~}" ]
}

write_manifests() {
    sed -i "0,/^version = \"$2\"$/s//version = \"$1\"/" Cargo.toml
    # The fuzz targets are a workspace of their own, and lock this crate as well.
    sed -i "/^name = \"dind-init\"$/{n;s/^version = \".*\"$/version = \"$1\"/}" Cargo.lock fuzz/Cargo.lock
}

write_changelog() {
    sed -i "0,/^## Unreleased$/s//## Unreleased\n\n## $1 ($(date --utc +%F))/" CHANGELOG.md
}

# The component names the image of its own version; its test writes it.
render() {
    if [ -e tests/component/main.rs ]; then
        UPDATE_DOCS=1 cargo test --quiet --locked --test component template >&2
    fi
}

if [ $# != 1 ]; then
    echo "usage: make release VERSION=1.2.3" >&2
    exit 64
fi
main "$1"
