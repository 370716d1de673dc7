#!/bin/bash
# Prints a release's description: its section of CHANGELOG.md, and its images by digest.
#
#   release/notes.sh VERSION
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."

if [ $# != 1 ]; then
    echo "usage: $0 VERSION" >&2
    exit 64
fi
release/changelog.sh "$1"
cat <<END

### Images

SECURITY.md says how to verify them, with and without internet.

| $IMAGE_REPOSITORY | digest |
| --- | --- |
$(awk '{ printf "| %s | `%s` |\n", $1, $2 }' published/images)
END
