#!/bin/bash
# Uploads files to the project's own package registry, which has room for archives.
#
#   release/upload.sh VERSION FILE...
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
. release/gitlab.sh

if [ $# -lt 2 ]; then
    echo "usage: $0 VERSION FILE..." >&2
    exit 64
fi
version=$1
shift
for file in "$@"; do
    ask_gitlab "header = \"JOB-TOKEN: $CI_JOB_TOKEN\"" --retry 3 --upload-file "$file" \
        "$CI_API_V4_URL/projects/$CI_PROJECT_ID/packages/generic/dind-init/$version/$(basename "$file")"
done
