# shellcheck shell=bash
# Sourced: how images and files are signed. One ordinary key signs both, and no service is asked, so
# that a site without internet verifies with what it has: openssl, podman or cosign (SECURITY.md).

# Sets `signing` to options of `skopeo copy`, and `skopeo` to the command. No key is an error:
# unsigned is a decision, not an accident.
signing_options() {
    skopeo=(skopeo)
    signing=()
    if [ "${SIGNING:-on}" = off ]; then
        echo "release: SIGNING=off: nothing is signed" >&2
        return
    fi
    if [ ! -r "${SIGNING_KEY:-}" ]; then
        cat >&2 <<'END'
release: there is no key to sign with. Make one, keep it, and tell the public half to your users:
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out dind-init.key
  openssl pkey -in dind-init.key -pubout -out dind-init.pub
Then in GitLab, Settings > CI/CD > Variables: SIGNING_KEY, type File, protected, the content of dind-init.key.
Or say SIGNING: "off" in .gitlab-ci.yml.
END
        return 78
    fi
    local wrapped
    wrapped=$(mktemp -d)
    # shellcheck disable=SC2064  # the directory's name of now
    trap "rm -rf '$wrapped'" EXIT
    : >"$wrapped/passphrase"
    (umask 077 && release/sigstore_key.py <"$SIGNING_KEY" >"$wrapped/key")
    # In the registry, beside the image, where cosign has its signatures as well.
    mkdir "$wrapped/registries.d"
    echo 'default-docker: {use-sigstore-attachments: true}' >"$wrapped/registries.d/default.yaml"
    # shellcheck disable=SC2034  # promote.sh's
    skopeo=(skopeo --registries.d "$wrapped/registries.d")
    # shellcheck disable=SC2034
    signing=(--sign-by-sigstore-private-key "$wrapped/key" --sign-passphrase-file "$wrapped/passphrase")
}

# Signs a file for `openssl dgst -verify`; the signature lies beside it.
sign_file() {
    if [ "${SIGNING:-on}" != off ]; then
        openssl dgst -sha256 -sign "$SIGNING_KEY" -out "$1.sig" "$1"
    fi
}
