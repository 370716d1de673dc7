# Waits until the job's Docker daemon is ready, and fails with the reason where it cannot be.
#
# It runs in the runner's helper container or in the job's own, so it asks for no more than a POSIX
# shell and `date`, `dd`, `grep`, `id`, `sed`, `sleep` and `tr`; `getent`, `nc` and `timeout` are used
# where they are. In parentheses: a script's own shell stays as it is.
(
  job=${CI_BUILDS_DIR:-}/.dind-init/${CI_JOB_ID:-}
  status=$job/status.txt
  timeout=${DIND_WAIT_TIMEOUT:-120}
  # Whoever is there writes within milliseconds, and no job begins before its services are started.
  silence=10

  main() {
    if [ "${DIND_INIT:-}" = official ]; then
      echo "dind-init: the service runs its image's own entrypoint (DIND_INIT is official), so nobody says when Docker is ready."
      exit 0
    fi
    case $timeout in
      '' | *[!0-9]* | ??????*)
        explain "DIND_WAIT_TIMEOUT is \"$timeout\", but it must be a number of seconds: the component's input wait-timeout."
        exit 1
        ;;
    esac
    if [ "$timeout" -lt "$silence" ]; then
      silence=$timeout
    fi
    began=$(date +%s)
    while :; do
      waited=$(($(date +%s) - began))
      # Before the status is read: where both are, this is dind-init, in a directory that was there.
      official=$(is_official)
      read_status
      case $state in
        ready)
          tell_ready
          exit 0
          ;;
        failed | stopping)
          explain "Docker cannot work in this job." "$(findings)"
          exit 1
          ;;
        starting)
          if [ "$waited" -ge "$timeout" ]; then
            explain_slow
            exit 1
          fi
          ;;
        *)
          if [ -n "$official" ] && [ -z "$said" ]; then
            explain_official
            exit 1
          fi
          if [ "$waited" -ge "$silence" ]; then
            explain_silence
            exit 1
          fi
          ;;
      esac
      # POSIX knows whole seconds only.
      sleep 0.2 2>/dev/null || sleep 1
    done
  }

  # Sets what the service says, and what of it its first line says, which is such as
  # `ready job=17 version=0.1.0 docker=26.1.5`. Another job's says nothing about this one.
  read_status() {
    state=
    docker=
    said=$(status_text "$status")
    first=$(printf '%s\n' "$said" | LC_ALL=C sed -n '1s/^\(.\{0,200\}\).*/\1/p')
    case $first in
      *" job=${CI_JOB_ID:-} version="*" docker="*)
        state=${first%% *}
        docker=${first##* docker=}
        ;;
    esac
  }

  # What is further up in the job's log, where the service itself has put it, is not told again.
  findings() {
    printf '%s\n' "$said" | sed -n -e 's/^start|//p' -e 's/^later|//p' \
      -e 's/^above|\(dind-init: .*\)/\1 (cause and fix: further up in this log)/p'
  }

  # docker:dind's own entrypoint makes the directory of its CA before all else. dind-init makes none
  # here, and writes its status first.
  is_official() {
    if [ -d "$job/ca" ] && [ ! -e "$status" ]; then
      echo yes
    fi
  }

  tell_ready() {
    transport=
    if [ -n "${DOCKER_TLS_VERIFY:-}" ]; then
      transport=' with TLS'
    fi
    printf '%s\n' "dind-init: Docker${docker:+ $docker} is ready at ${DOCKER_HOST:-its socket}$transport after $waited s."
    # dockerd runs, but something will not work.
    found=$(findings)
    if [ -n "$found" ]; then
      explain "Docker runs, but some of this job's docker commands will fail." "$found"
    fi
  }

  explain_slow() {
    explain "Docker is not ready after $timeout s." \
"The service has started dockerd, which still starts. That takes long where the service has little of a
processor, or /var/lib/docker is on a slow disk. In .gitlab-ci.yml, ask for more, or wait longer:
    variables:
      KUBERNETES_SERVICE_CPU_REQUEST: \"1\"
      DIND_WAIT_TIMEOUT: \"300\"
With the component's input \`debug: true\`, dockerd's own log is in the job's log."
  }

  explain_official() {
    explain "This job's Docker service runs docker:dind's own entrypoint, not dind-init." \
"That entrypoint has made the certificates in $job,
and does not say when Docker is ready, nor what is wrong. In .gitlab-ci.yml leave the component's input
\`image\` out, or name an image with dind-init as its entrypoint, and give the service neither an
\`entrypoint:\` of another program nor \`DIND_INIT: official\`."
  }

  # The known causes, of which those are named that fit what can be seen from here.
  explain_silence() {
    if [ -z "${CI_BUILDS_DIR:-}" ] || [ -z "${CI_JOB_ID:-}" ]; then
      explain "Nothing is known of this job's Docker service." \
"CI_BUILDS_DIR or CI_JOB_ID is not set, so this is no job of GitLab Runner, and there is no place where
the service could say how it is. Leave the wait out here, and use the service alone."
      return
    fi
    if [ -e "$status" ] || [ -L "$status" ]; then
      explain "What this job's Docker service says cannot be read." \
"$status is there, but $(status_trouble).
The directory must be the service's and the job's alone; a job's own script may have changed it."
      return
    fi
    if ! in_container; then
      explain "This runner has no services." \
"The job runs on the machine itself, as with the executors shell and ssh, and those leave \`services:\`
out. Choose a runner with the Docker or Kubernetes executor, by its tag in the job of .gitlab-ci.yml:
    tags: [docker]"
      return
    fi
    case $(name_of_service) in
      unknown)
        explain "This job has no service with the name docker." \
"Nobody here is called \"docker\", so the job has lost the component's service: its own \`services:\`
take the place of those that it extends. In .gitlab-ci.yml, name them both:
    services:
      - !reference [.dind, services]
      - postgres:16"
        return
        ;;
    esac
    case $(port_of_service) in
      open)
        explain "A service answers as docker, but it does not say how it is." \
"Either its image is not dind-init's: then in .gitlab-ci.yml leave the component's input \`image\` out, or
name an image with dind-init as its entrypoint, and no \`entrypoint:\` of another.
Or it cannot see $CI_BUILDS_DIR$(siblings):
then take a volume of your own there out of the runner's config.toml."
        ;;
      closed)
        explain "The Docker service is not running." \
"Nothing listens as \"docker\": the service's container has ended, or its image does not start
dind-init. These are the causes that are known:
  * The image was not pulled. Then the log says so above: check the component's input \`image\`.
  * The image is not dind-init's, and is not privileged. In the runner's config.toml:
    [[runners]]
      [runners.$(executor)]
        privileged = true
  * It ended. With the component's input \`debug: true\` its own log is in the job's log."
        ;;
      *)
        explain "This job's Docker service does not say how it is." \
"There is no $status. The causes that are known:
  * The image is not dind-init's: check the component's input \`image\`.
  * The job's own \`services:\` took the place of the component's: in .gitlab-ci.yml, name them both:
    services:
      - !reference [.dind, services]
      - postgres:16
  * The service ended at once: it is not privileged, or its image was not pulled. With the component's
    input \`debug: true\` its own log is in the job's log.
  * It does not share $CI_BUILDS_DIR with the job: see \`volumes\` in the runner's config.toml."
        ;;
    esac
  }

  status_trouble() {
    if [ -L "$status" ] || [ ! -f "$status" ]; then
      echo "it is not a regular file"
    elif [ ! -r "$status" ]; then
      echo "it is not readable for the user $(id -u)"
    else
      printf '%s\n' "its first line is not this job's: \"$first\""
    fi
  }

  # Kubernetes, Docker and Podman each leave a sign.
  in_container() {
    [ -n "${KUBERNETES_SERVICE_HOST:-}" ] || [ -e "$root/.dockerenv" ] || [ -e "$root/run/.containerenv" ]
  }

  # Kubernetes writes all names of services into /etc/hosts; a network of Docker's answers itself.
  name_of_service() {
    if grep -Eq '[[:space:]]docker([[:space:]]|$)' "$root/etc/hosts" 2>/dev/null; then
      echo known
    elif [ -n "${KUBERNETES_SERVICE_HOST:-}" ]; then
      echo unknown
    elif command -v getent >/dev/null; then
      if getent hosts docker >/dev/null; then echo known; else echo unknown; fi
    fi
  }

  port_of_service() {
    port=2376
    if [ -z "${DOCKER_TLS_CERTDIR:-}" ]; then
      port=2375
    fi
    if command -v nc >/dev/null; then
      if nc -w 3 docker "$port" </dev/null >/dev/null 2>&1; then echo open; else echo closed; fi
    fi
  }

  executor() {
    if [ -n "${KUBERNETES_SERVICE_HOST:-}" ]; then echo kubernetes; else echo docker; fi
  }

  # Whether services of other jobs have written where this one should have.
  siblings() {
    for sibling in "$CI_BUILDS_DIR"/.dind-init/*; do
      if [ -d "$sibling" ] && [ "$sibling" != "$job" ]; then
        echo ", although services of other jobs did"
        return
      fi
    done
  }

  # @STATUS@

  # Where the file system begins; a test has one of its own.
  root=${DIND_WAIT_ROOT:-}
  main
)
