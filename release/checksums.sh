#!/bin/bash
# Writes archives/SHA256SUMS over all files there and over the list of images by digest, and signs
# it: one signature, checked by openssl alone, vouches for the whole release.
#
#   release/checksums.sh
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
. release/signing.sh

cp published/images archives/images
cd archives
rm -f SHA256SUMS SHA256SUMS.sig
sha256sum -- * >SHA256SUMS
sign_file SHA256SUMS
