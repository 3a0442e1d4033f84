# What the scripts share; sourced, never run. It leaves the working directory
# at the root of the repository.
# shellcheck shell=bash

# Where the script was started from.
# shellcheck disable=SC2034  # for the scripts that source this
caller_dir=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

say() { printf '== %s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Prints the comment at the top of the script that was started.
usage() {
  sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root, and there is no sudo: $*"
  fi
}

# Makes build/<preset>.
configure() {
  cmake --preset "$1" --log-level=WARNING
}

# How many compilers to run at once: one a core, as far as memory goes. The
# largest units (generated gRPC code, tests under a sanitizer) take about 1 GiB.
build_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1024 / 1024) }' /proc/meminfo)
  if [ "$memory" -lt "$cores" ]; then
    echo $((memory > 0 ? memory : 1))
  else
    echo "$cores"
  fi
}
