#!/bin/bash
# Starts the newest release's pipeline again if an official image that it is made of has changed.
# The images then have new digests below the same tags, as official's have when Alpine is mended.
#
#   release/rebuild.sh
#
# A schedule runs it. IMAGE_REPOSITORY and BASE_REPOSITORY are those of the other scripts.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
. release/docker-versions.sh
. release/gitlab.sh

main() {
    local version
    version=$(git tag --list --sort=-version:refname | sed -nE '/^[0-9]+\.[0-9]+\.[0-9]+$/p' | sed -n 1p)
    if [ -z "$version" ]; then
        echo "release: nothing is released yet, so nothing is to be made again"
        return
    fi
    # The release's own table: this checkout may know other versions already.
    DOCKER_VERSIONS=$(mktemp)
    trap 'rm -f "$DOCKER_VERSIONS"' EXIT
    git show "$version:release/docker-versions" >"$DOCKER_VERSIONS"
    if changed "$version"; then
        trigger "$version"
    fi
}

# Whether any base is another than the one that the image was built on; each is told. What cannot be
# asked is an error, and no reason to build.
changed() {
    local version=$1 docker variant now built_on status=1
    while read -r docker variant; do
        now=$(skopeo inspect --format '{{.Digest}}' "docker://$BASE_REPOSITORY:$docker-$variant") || exit 69
        built_on=$(skopeo inspect --format '{{index .Labels "org.opencontainers.image.base.digest"}}' \
            "docker://$IMAGE_REPOSITORY:$docker${variant#dind}-$version") || exit 69
        if [ "$now" = "$built_on" ]; then
            echo "release: $docker-$variant is still $now"
        else
            echo "release: $docker-$variant was $built_on and is $now"
            status=0
        fi
    done < <(images)
    return "$status"
}

# GitLab lets a job start pipelines of its own project with its own token.
trigger() {
    echo "release: starting the pipeline of $1"
    ask_gitlab "form = \"token=$CI_JOB_TOKEN\"" --form "ref=$1" \
        "$CI_API_V4_URL/projects/$CI_PROJECT_ID/trigger/pipeline"
}

main
