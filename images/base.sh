#!/bin/bash
# Makes localhost/dind-base:SUITE, a Debian with its own Docker, without any image registry.
#
#   images/base.sh bookworm|trixie|sid
#
# The packages come from the Debian mirror that apt uses here, or from $DEBIAN_MIRROR.
# The result is kept as a tarball in ${XDG_CACHE_HOME:-$HOME/.cache}/dind-init, so that this costs
# a minute or two once, seconds where only the image is gone, and nothing otherwise.
set -euo pipefail

suite=${1:-}
here=$(dirname "$(readlink -f "$0")")
podman=$here/podman
image=localhost/dind-base:$suite

# What every image has: busybox for an inner image without a registry, openssl and curl as clients.
packages=docker.io,iptables,ca-certificates,openssl,iproute2,procps,curl,busybox-static
case $suite in
bookworm) packages+=,python3-docker ;;       # Docker 20.10: the CLI is part of docker.io
trixie) packages+=,docker-cli,docker-registry ;; # Docker 26.1, and a registry for the scenarios
# Docker 28
sid) packages+=,docker-cli,docker-buildx,docker-compose ;;
*)
    echo "usage: $0 bookworm|trixie|sid" >&2
    exit 64
    ;;
esac

# A change of this file is a change of the recipe, and makes new images.
recipe=$(sha256sum "$here/base.sh" | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dind-init
tarball=$cache/base-$suite-$(dpkg --print-architecture)-$recipe.tar

main() {
    mkdir -p "$cache"
    exec 9>"$cache/base-$suite.lock"
    flock 9

    if [ "$(image_recipe)" = "$recipe" ]; then
        return
    fi
    if [ ! -e "$tarball" ]; then
        bootstrap
    fi
    echo "base.sh: importing $image" >&2
    "$podman" import --quiet --change "LABEL dind-init.recipe=$recipe" --change 'CMD ["/bin/bash"]' \
        "$tarball" "$image" >/dev/null
}

image_recipe() {
    "$podman" image inspect --format '{{index .Labels "dind-init.recipe"}}' "$image" 2>/dev/null || true
}

bootstrap() {
    if [ "$(id -u)" != 0 ]; then
        echo "base.sh: debootstrap needs root (it makes devices and changes owners)" >&2
        exit 77
    fi
    root=$(mktemp -d "$cache/bootstrap-$suite.XXXXXX")
    trap 'umount -q "$root/proc" "$root/sys" || true; rm -rf --one-file-system "$root" "$tarball.new"' EXIT

    archive=$(mirror)
    echo "base.sh: bootstrapping Debian $suite from $archive, a minute or two, once" >&2
    if ! debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$archive" >"$root.log" 2>&1; then
        tail -n 20 "$root.log" >&2
        echo "base.sh: debootstrap failed; the whole log is $root.log" >&2
        exit 1
    fi
    rm "$root.log"

    for program in dockerd docker containerd runc iptables busybox; do
        if ! chroot "$root" sh -c "command -v $program" >/dev/null; then
            echo "base.sh: Debian $suite came without $program" >&2
            exit 1
        fi
    done

    # Renamed into place only when whole: an interrupted run leaves no half image behind.
    tar -C "$root" -cf "$tarball.new" --numeric-owner --xattrs --one-file-system \
        --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/log/*' \
        --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
        .
    mv "$tarball.new" "$tarball"
}

# The archive's site in apt's own list of indexes: the same mirror, whatever the file format there.
mirror() {
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        echo "$DEBIAN_MIRROR"
        return
    fi
    # shellcheck disable=SC2016  # apt's own placeholder
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sed -n 1p)
    if [ -z "$site" ]; then
        echo "base.sh: apt has no index of a Debian archive; run apt-get update, or set DEBIAN_MIRROR" >&2
        exit 1
    fi
    echo "$site"
}

main
