#!/bin/bash
# Builds and pushes one candidate for all architectures, with its SBOM and its provenance, and
# writes its digest to candidates/.
#
#   release/image.sh DOCKER dind|dind-rootless
#
#   BASE_REPOSITORY   where the official images are: `docker`, or a mirror's full reference
#   SBOM_IMAGE        BuildKit's scanner
#   IMAGE_REPOSITORY  where ours go
#   CI_PIPELINE_ID, CI_COMMIT_SHA, CI_PROJECT_URL   GitLab's
#
# It wants a Docker that keeps images as containerd does, as Docker 29 by itself: only there can
# the daemon's own builder push an index with attestations.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
. release/candidates.sh

main() {
    local docker=$1 variant=$2
    local candidate=$IMAGE_REPOSITORY/candidate
    local tag=$CI_PIPELINE_ID-$docker-$variant
    local base=$BASE_REPOSITORY:$docker-$variant
    local metadata=candidates/$docker-$variant.json
    local base_digest

    mkdir -p candidates
    # The very base that is looked at now is the one that is built on and noted in the image, where
    # release/rebuild.sh compares it.
    base_digest=$(digest_of "$base")
    docker buildx build --push --pull \
        --file images/release.Dockerfile \
        --platform "$(platforms)" \
        --build-arg "BASE_IMAGE=$BASE_REPOSITORY@$base_digest" \
        --provenance=mode=max \
        --sbom="generator=$SBOM_IMAGE" \
        --label "org.opencontainers.image.source=$CI_PROJECT_URL" \
        --label "org.opencontainers.image.revision=$CI_COMMIT_SHA" \
        --label "org.opencontainers.image.version=$docker-$(our_version)" \
        --label "org.opencontainers.image.base.name=$base" \
        --label "org.opencontainers.image.base.digest=$base_digest" \
        --metadata-file "$metadata" \
        --tag "$candidate:$tag" \
        dist

    echo "$candidate@$(jq --raw-output '."containerimage.digest"' "$metadata")" >"candidates/$docker-$variant"
    candidate "$docker" "$variant"
}

digest_of() {
    docker buildx imagetools inspect --format '{{json .Manifest}}' "$1" | jq --raw-output .digest
}

platforms() {
    local IFS=,
    echo "${ARCHITECTURES[*]/#/linux\/}"
}

if [ $# != 2 ]; then
    echo "usage: $0 DOCKER dind|dind-rootless" >&2
    exit 64
fi
main "$@"
