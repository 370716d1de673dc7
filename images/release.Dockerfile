# The images of a release: dind-init as the entrypoint of an official image, with root or without.
#
# Nothing is run, only copied, so that one machine makes the images of all architectures; and as
# nothing of the base is changed but its entrypoint, USER is not either. release/image.sh builds
# this; the context is dist/, with the binary of each architecture (release/binary.sh).
ARG BASE_IMAGE=docker:29-dind
FROM $BASE_IMAGE AS official

FROM official
ARG TARGETARCH
# The original entrypoint stays beside ours: DIND_INIT=official goes back to it.
COPY --from=official /usr/local/bin/dockerd-entrypoint.sh /usr/local/bin/dockerd-entrypoint.official.sh
COPY $TARGETARCH/ /usr/local/bin/
