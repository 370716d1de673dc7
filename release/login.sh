#!/bin/bash
# Logs a tool in at the project's own registry, as the job that it is; elsewhere it does nothing.
#
#   release/login.sh docker|skopeo|images/podman
set -euo pipefail

if [ -n "${CI_REGISTRY_PASSWORD:-}" ]; then
    "$1" login --username "$CI_REGISTRY_USER" --password-stdin "$CI_REGISTRY" <<<"$CI_REGISTRY_PASSWORD"
fi
