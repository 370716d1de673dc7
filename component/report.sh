# Tells what went wrong with Docker while the job ran. For after_script: whether the job succeeds is
# decided already. What was known at the job's beginning was told then; see wait.sh.
(
  status=${CI_BUILDS_DIR:-}/.dind-init/${CI_JOB_ID:-}/status.txt
  if [ -r "$status" ]; then
    found=$(sed -n 's/^later|//p' "$status" || :)
    if [ -n "$found" ]; then
      echo
      echo "---- dind-init ---------------------------------------------------------------"
      echo "This was found while the job ran, and may be why a docker command failed."
      echo
      printf '%s\n' "$found"
      echo "------------------------------------------------------------------------------"
      echo
    fi
  fi
)
