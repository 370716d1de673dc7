#!/bin/bash
# The images that make a release, by digest: a tag is whatever its registry says today, and what runs
# in these images writes the binary, the SBOMs and the tags.
#
#   release/pins.sh check   refuses a variable that names no digest; the pipeline of a tag begins so
#   release/pins.sh write   asks the registries now, and writes the digests into .gitlab-ci.yml
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."

# As .gitlab-ci.yml has them.
readonly PINNED=(RUST_IMAGE DOCKER_CLI_IMAGE DOCKER_DIND_IMAGE SBOM_IMAGE RELEASE_IMAGE)
readonly BY_DIGEST='@sha256:[0-9a-f]{64}$'

# A project's own settings may name others than the file does: what counts is what the jobs got.
check() {
    local name loose=0
    for name in "${PINNED[@]}"; do
        if [[ ! ${!name:-} =~ $BY_DIGEST ]]; then
            echo "release: $name is \`${!name:-}\`, which may be another image tomorrow" >&2
            loose=1
        fi
    done
    if [ "$loose" = 1 ]; then
        echo "release: run release/pins.sh write, look at what it changes in .gitlab-ci.yml, commit it, and tag that" >&2
        exit 65
    fi
}

write() {
    local name image digest
    for name in "${PINNED[@]}"; do
        image=$(sed -n "s/^  $name: //p" .gitlab-ci.yml)
        image=${image%@*}
        digest=$(skopeo inspect --format '{{.Digest}}' "docker://$(full_name "$image")")
        sed -i "s|^  $name: .*|  $name: $image@$digest|" .gitlab-ci.yml
        echo "$name: $image@$digest"
    done
}

# GitLab puts this in; here it stands for gitlab.com's.
full_name() {
    # shellcheck disable=SC2016
    echo "${1/'$CI_TEMPLATE_REGISTRY_HOST'/${CI_TEMPLATE_REGISTRY_HOST:-registry.gitlab.com}}"
}

case $* in
check | write) "$1" ;;
*)
    echo "usage: $0 check|write" >&2
    exit 64
    ;;
esac
