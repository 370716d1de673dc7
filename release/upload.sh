#!/bin/bash
# Uploads files to the project's own package registry, which has room for archives.
#
#   release/upload.sh VERSION FILE...
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 VERSION FILE..." >&2
    exit 64
fi
version=$1
shift
for file in "$@"; do
    curl --fail-with-body --silent --show-error --retry 3 --header "JOB-TOKEN: $CI_JOB_TOKEN" --upload-file "$file" \
        "$CI_API_V4_URL/projects/$CI_PROJECT_ID/packages/generic/dind-init/$version/$(basename "$file")"
    echo
done
