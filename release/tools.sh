#!/bin/sh
# Sees to it that the release's jobs find what their scripts call: on the Debian of the Rust image,
# and on the Alpine of the docker CLI's, where there may be no bash yet.
#
#   release/tools.sh PROGRAM...
#
# An image that has them all, as a site without internet wants one, needs no packages from anywhere.
set -eu

missing=
for program in "$@"; do
    case $program in
    python3-nacl) python3 -c 'import nacl' 2>/dev/null || missing="$missing $program" ;;
    *) command -v "$program" >/dev/null || missing="$missing $program" ;;
    esac
done
if [ -z "$missing" ]; then
    exit
fi
# The programs are named as their packages in both, but for one.
if command -v apk >/dev/null; then
    missing=$(echo "$missing" | sed 's/python3-nacl/py3-pynacl/')
    # shellcheck disable=SC2086  # one word a package
    apk add --no-cache $missing
elif command -v apt-get >/dev/null; then
    apt-get update -q
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -q $missing
else
    echo "release: this image has no$missing, and neither apk nor apt-get to get it; name another in .gitlab-ci.yml" >&2
    exit 69
fi
