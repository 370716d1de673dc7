# dind-init on Debian's own Docker: what `make image` builds here, with no image registry at all.
# The base comes from images/base.sh; the build context holds the static binary as `dind-init`.
ARG BASE_IMAGE=localhost/dind-base:trixie
FROM $BASE_IMAGE

COPY dind-init /usr/local/bin/dind-init

# The names, modes and settings below are the official image's: jobs and runners rely on them.
# `docker`: the group that owns the daemon's socket (Debian's docker.io makes it; another base may not).
RUN ln -s dind-init /usr/local/bin/dockerd-entrypoint.sh \
    && (grep -q '^docker:' /etc/group || groupadd --system docker) \
    && mkdir -p /certs/client \
    && chmod 1777 /certs /certs/client

ENV DOCKER_TLS_CERTDIR=/certs
VOLUME /var/lib/docker
EXPOSE 2375 2376

ENTRYPOINT ["dockerd-entrypoint.sh"]
CMD []
