#!/bin/bash
# Runs one suite on one candidate, on this machine's architecture, and writes down that it passed.
#
#   release/test.sh e2e|compliance|rootless DOCKER dind|dind-rootless
#
# The image comes from the registry by its digest, as users will get it.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
. release/candidates.sh
. release/docker-versions.sh

main() {
    local suite=$1 docker=$2 variant=$3 image architecture record
    image=$(candidate "$docker" "$variant")
    images/tools.sh pods
    release/login.sh images/podman
    images/podman pull --quiet "$image" >/dev/null
    architecture=$(images/podman image inspect --format '{{.Architecture}}' "$image")
    is_what_it_says "$docker" "$image"

    # Whatever Docker a scenario is about gets the candidate, and has the clients of its own Docker.
    case $suite in
    e2e) DIND_E2E_IMAGE=$image .ci/suite e2e ;;
    compliance) DIND_UNDER_TEST=$image .ci/suite compliance ;;
    rootless) DIND_ROOTLESS_UNDER_TEST=$image .ci/suite rootless ;;
    esac

    # Only now, and from the very reference that was pulled.
    record=tested/$suite/$architecture/$docker-$variant
    mkdir -p "$(dirname "$record")"
    echo "$image" >"$record"
}

# Its tags will name Docker's version, Alpine's and ours.
is_what_it_says() {
    local docker=$1 image=$2 alpine said wanted
    alpine=$(docker_versions | sed -n "s/^$docker //p")
    said=$(images/podman run --rm --network=none --entrypoint=sh "$image" -c '
        dockerd --version; cat /etc/alpine-release; dind-init --version' 2>&1)
    for wanted in "Docker version $docker" "$alpine" "dind-init $(our_version)"; do
        if [[ $'\n'$said$'\n' != *$'\n'"$wanted"[!0-9]* ]]; then
            printf 'release: the image is not what its tags will say. It has to say "%s", and says:\n%s\n' "$wanted" "$said" >&2
            exit 65
        fi
    done
}

if [ $# != 3 ]; then
    echo "usage: $0 e2e|compliance|rootless DOCKER dind|dind-rootless" >&2
    exit 64
fi
main "$@"
