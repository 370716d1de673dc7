# shellcheck shell=bash
# Sourced: the table in release/docker-versions, or in the file that $DOCKER_VERSIONS names.

# Prints `DOCKER ALPINE` for each version, newest first.
docker_versions() {
    local table=${DOCKER_VERSIONS:-$(dirname "${BASH_SOURCE[0]}")/docker-versions}
    sed -e '/^#/d' -e '/^[[:space:]]*$/d' "$table"
}

# Prints `DOCKER VARIANT` for each image: every version as dind and as dind-rootless.
images() {
    docker_versions | while read -r docker _; do
        echo "$docker dind"
        echo "$docker dind-rootless"
    done
}
