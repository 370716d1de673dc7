# shellcheck shell=bash
# Sourced: GitLab's API, asked as the job that this is.

# Runs curl with these arguments and one line of its settings that holds the token. That goes by a
# pipe: whoever sees this machine's processes sees their arguments.
ask_gitlab() {
    local setting=$1
    shift
    curl --fail-with-body --silent --show-error --config - "$@" <<<"$setting"
    echo
}
