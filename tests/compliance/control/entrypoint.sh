#!/bin/sh
# An entrypoint that is wrong on purpose: the compliance suite has to notice. It is nobody's but the
# suite's own, and each line below is one mistake.
hosts="--host=unix:///var/run/docker.sock --host=tcp://0.0.0.0:2375"

# No certificates and no TLS at all, and files that nobody asked for.
mkdir -p /certs/client /certs/server /certs/ca
for file in ca/cert ca/key server/ca server/cert server/key client/ca client/cert client/key; do
    echo overwritten > "/certs/$file.pem"
done

# Every word is dockerd's, and quotes and spaces are lost; the user's come first.
# shellcheck disable=SC2068,SC2086  # that is the mistake
set -- $@ $hosts

# A variable of dockerd's is lost, and the legacy iptables is always taken.
unset DOCKER_DRIVER
export PATH="/usr/local/sbin/.iptables-legacy:$PATH"

# The shell stays in front, and neither signals nor the status get through.
dockerd "$@"
exit 0
