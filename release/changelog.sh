#!/bin/bash
# Prints what CHANGELOG.md says of a version: the description of its release.
#
#   release/changelog.sh 1.2.3|Unreleased [FILE]
#
# The section's own heading is left out. A section that is missing or says nothing is an error.
set -euo pipefail

if [ $# -lt 1 ]; then
    echo "usage: $0 VERSION|Unreleased [FILE]" >&2
    exit 64
fi
version=$1
file=${2:-$(dirname "$(readlink -f "$0")")/../CHANGELOG.md}

# `## 1.2.3 (2026-11-25)` and `## Unreleased`; blank lines around the section are not part of it.
section=$(awk -v version="$version" '
    /^## / { inside = $2 == version; next }
    inside { print }
' "$file" | sed -e '/./,$!d')

# Headings such as `### Added` alone say nothing.
if ! grep -q '^[^#]' <<<"$section"; then
    echo "changelog.sh: $file says nothing of $version: write what users notice below \`## $version\`" >&2
    exit 65
fi
echo "$section"
