# Prints the status.txt that is named, or nothing; src/report/status/text.rs describes it. A job before
# this one may have put something else there, so it is read once, as a regular file alone, up to 64 kB
# and for five seconds. What a terminal would obey is left out, and so is each JSON object that the
# runner, which reads this log, could take for its own message that a script has ended: one that names
# a command, or that may do so in escapes or in letters that only look the same.
status_text() {
  if [ -f "$1" ] && [ ! -L "$1" ]; then
    limited dd if="$1" bs=65536 count=1 2>/dev/null | tr -d '\000-\010\013-\037\177' |
      LC_ALL=C sed -e '/^[a-z]*|[[:blank:]]*{.*[^ -~]/d' -e '/^[a-z]*|[[:blank:]]*{.*\\/d' \
        -e '/^[a-z]*|[[:blank:]]*{.*[Cc][Oo][Mm][Mm][Aa][Nn][Dd]/d' || :
  fi
}

# A file may become a FIFO between the look and the read. Before 1.30 busybox's timeout took -t.
limited() {
  if timeout 5 sleep 0 2>/dev/null; then
    timeout 5 "$@"
  else
    "$@"
  fi
}

explain() {
  printf '\n%s\n%s\n' "---- dind-init ---------------------------------------------------------------" "$1"
  if [ -n "${2:-}" ]; then
    printf '\n%s\n' "$2"
  fi
  printf '%s\n\n' "------------------------------------------------------------------------------"
}
