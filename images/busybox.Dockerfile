# Debian's Docker with busybox around it instead of Debian: a userland like that of the official
# image, which is Alpine's. What is tested on it knows no distribution.
#
# No bash, no coreutils, no getent, no scripts of Debian's: dockerd, what it starts, and busybox.
ARG BASE_IMAGE=localhost/dind-base:trixie
FROM $BASE_IMAGE AS debian
RUN set -eu; \
    mkdir -p /image/usr/bin /image/usr/sbin /image/usr/lib /image/usr/lib64 /image/dev /image/proc \
        /image/sys /image/mnt /image/root /image/run /image/var/lib; \
    mkdir -m 1777 /image/tmp /image/var/tmp; \
    for name in bin sbin lib lib64; do ln -s usr/$name /image/$name; done; \
    ln -s ../run /image/var/run; \
    programs="$(which dockerd docker docker-init docker-proxy containerd \
        containerd-shim-runc-v2 runc xtables-nft-multi xtables-legacy-multi busybox)"; \
    cp --parents $programs /image; \
    # The names of the two, and their extensions, which they load by themselves.
    cp --archive --parents /usr/sbin/iptables* /usr/sbin/ip6tables* /usr/lib/*/xtables /image; \
    rm /image/usr/sbin/ip*-apply; \
    libraries="$(for file in $programs /usr/lib/*/libnss_*.so.2; do ldd "$file" 2>/dev/null || true; done \
        | grep -o '/[^ ]*' | sort -u)"; \
    cp --dereference --parents $libraries /usr/lib/*/libnss_*.so.2 /image; \
    cp --archive /etc /image; \
    cp --archive --parents /usr/share/ca-certificates /image; \
    sed -i 's,/bin/bash,/bin/sh,' /image/etc/passwd

FROM scratch
COPY --from=debian /image/ /
RUN ["/bin/busybox", "--install", "-s"]
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["/bin/sh"]
