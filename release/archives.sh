#!/bin/bash
# Writes every image of the release into archives/, as an OCI archive of all architectures, for
# sites that reach no registry but their own:
#
#   skopeo copy --all --preserve-digests oci-archive:FILE docker://registry.example.com/docker:29-dind
#
#   release/archives.sh VERSION
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
. release/candidates.sh
. release/docker-versions.sh

main() {
    local version=$1 docker variant image archive
    mkdir -p archives
    while read -r docker variant; do
        image=$(candidate "$docker" "$variant")
        archive=archives/dind-init-$version-$docker-$variant.oci.tar
        rm -f "$archive"
        # The format has no room for signatures: release/checksums.sh signs the files instead. SBOM
        # and provenance are images of the index, and come along.
        skopeo copy --quiet --all --preserve-digests --remove-signatures --retry-times 3 \
            "docker://$image" "oci-archive:$archive:$docker-$variant"
    done < <(images)
}

if [ $# != 1 ]; then
    echo "usage: $0 VERSION" >&2
    exit 64
fi
main "$1"
