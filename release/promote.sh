#!/bin/bash
# Gives the release's tags to the candidates that passed, and signs them.
#
#   release/promote.sh VERSION
#
#   IMAGE_REPOSITORY   where the tags go; release/image.sh put the candidates below it
#   SIGNING_KEY        a file with an ECDSA P-256 key in PEM; without it, it is said how to make one
#   SIGNING=off        no signature at all, which is said out loud
#
# All or nothing, as far as a registry can: every candidate is looked at before the first tag is
# made. What is copied is the index by its digest, so the images, their SBOMs and their provenance
# are the very bytes that were tested. Writes published/images: `TAG DIGEST`, a line each.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
. release/candidates.sh
. release/signing.sh

main() {
    local version=$1 tags docker variant tag image
    if [ "$version" != "$(our_version)" ]; then
        echo "release: the tag is $version, but Cargo.toml says $(our_version); make release VERSION=$version changes both" >&2
        exit 65
    fi
    tags=$(release/tags.sh "$version")
    passed_everywhere "$tags"
    signing_options

    mkdir -p published
    : >published/images
    while read -r docker variant tag; do
        image=$(candidate "$docker" "$variant")
        "${skopeo[@]}" copy --quiet --all --preserve-digests --retry-times 3 "${signing[@]}" \
            "docker://$image" "docker://$IMAGE_REPOSITORY:$tag"
        echo "$tag ${image#*@}" | tee --append published/images
    done <<<"$tags"
}

# Everything that is missing is named at once.
passed_everywhere() {
    local docker variant image suite architecture record missing=0
    while read -r docker variant; do
        image=$(candidate "$docker" "$variant")
        for suite in $(suites_of "$variant"); do
            for architecture in "${ARCHITECTURES[@]}"; do
                record=tested/$suite/$architecture/$docker-$variant
                if [ "$(cat "$record" 2>/dev/null)" != "$image" ]; then
                    echo "release: $suite on $architecture has not passed on $image ($record says otherwise, or is not there)" >&2
                    missing=1
                fi
            done
        done
    done < <(cut -d ' ' -f 1,2 <<<"$1" | sort --unique)
    if [ "$missing" = 1 ]; then
        echo "release: no tag was made" >&2
        exit 65
    fi
}

if [ $# != 1 ]; then
    echo "usage: $0 VERSION" >&2
    exit 64
fi
main "$1"
