#!/bin/bash
# Prints the tags of all images of a release, as `DOCKER VARIANT TAG`.
#
#   release/tags.sh 1.2.3
#
# Nothing is read but release/docker-versions. An image has our own tags, which say both versions,
# and exactly those that the official image has (the list in docker-library/official-images), so
# that a fleet changes the registry in front of a name and nothing else. A release candidate of
# ours takes none of the official names.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR
. "$here/docker-versions.sh"

main() {
    local version=$1 docker alpine
    declare -A taken=()
    while read -r docker alpine; do
        echo "$docker dind $docker-$version"
        echo "$docker dind-rootless $docker-rootless-$version"
        if [[ $version != *-* ]]; then
            official "$docker" "$alpine"
        fi
    done < <(docker_versions)
}

# 29.7.2 in full, then 29.7, 29 and no version at all, as far as no newer version has them.
official() {
    local docker=$1 alpine=$2 name
    for name in "$docker" "${docker%.*}" "${docker%%.*}" ""; do
        if [ -n "${taken[x$name]:-}" ]; then
            continue
        fi
        taken[x$name]=yes
        local prefix=${name:+$name-}
        echo "$docker dind ${prefix}dind"
        echo "$docker dind ${name:-latest}"
        echo "$docker dind-rootless ${prefix}dind-rootless"
        # Official names the distribution only beside the whole version.
        if [ "$name" = "$docker" ]; then
            echo "$docker dind ${prefix}dind-alpine$alpine"
            echo "$docker dind ${prefix}alpine$alpine"
        fi
    done
}

if [ $# != 1 ]; then
    echo "usage: $0 VERSION" >&2
    exit 64
fi
main "$1"
