# Tells what went wrong with Docker while the job ran.
#
# It is for after_script, where it is decided already whether the job succeeds. What was known at the
# job's beginning was told then, by wait.sh. In parentheses: a script's own shell stays as it is.
(
  status=${CI_BUILDS_DIR:-}/.dind-init/${CI_JOB_ID:-}/status.txt

  main() {
    found=$(status_text "$status" | sed -n 's/^later|//p')
    if [ -n "$found" ]; then
      explain "This was found while the job ran, and may be why a docker command failed." "$found"
    fi
  }

  # @STATUS@

  main
)
