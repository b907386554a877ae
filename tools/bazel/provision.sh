#!/usr/bin/env bash
# Makes the Debian sid root that bazelw enters: provision.sh CACHE_FOLDER
#
# Two steps, each marked by a stamp when it is complete: debootstrap into a folder that is renamed at the end,
# then the packages of packages.txt, again whenever that file changes. (Bazel's package in the first step would leave
# half-configured packages behind.) An interrupted run is repeated from the last complete step; runs at the same
# time wait for each other.
set -euo pipefail

cache=$1
root=$cache/root
log=$cache/provision.log
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
packages=$(sed -e '/^#/d' -e '/^$/d' "$tools/packages.txt")
wanted=$(sha256sum "$tools/packages.txt" "${BASH_SOURCE[0]}" | cut -d' ' -f1 | sha256sum | cut -d' ' -f1)
stamp=$root/var/lib/bazelw/$wanted # one for each list that was installed: the root only grows, so checkouts can share it

ready() { [[ -e $stamp ]]; }

say() { printf 'bazelw: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# Shows at most one line in three seconds of what a long command says; all of it goes to the log.
progress() {
  local line last=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    if ((SECONDS - last >= 3)) && [[ $line =~ ^(I:|Get:|Unpacking|Setting) ]]; then
      last=$SECONDS
      say "  [$((SECONDS / 60))m$((SECONDS % 60))s] ${line:0:90}"
    fi
  done
}

step() {
  local what=$1 status
  say "$what"
  shift
  set +e # as a condition, the step would run on after an error
  (
    set -e
    "$@"
  ) 2>&1 | progress
  status=${PIPESTATUS[0]}
  set -e
  if ((status)); then
    tail -n 15 "$log" >&2
    die "$what failed; all of its output is in $log; to try again, run the same command"
  fi
}

# The Debian mirror of this machine: the first in its apt sources that has a plain release, not the security one.
machine_mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+) +([^ ]+) .*/\2 \3/p' >"$cache/mirrors"
  cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '
    /^URIs:/ { uri = $2 }
    /^Suites:/ { print uri, $2 }' >>"$cache/mirrors"
  awk '$2 ~ /^(bullseye|bookworm|trixie|forky|sid|oldstable|stable|testing|unstable)$/ { print $1; exit }' "$cache/mirrors"
}

# Commands in the root: mounts end with the namespace, so an interrupted run leaves none behind.
in_root() {
  local into=$1 proxies
  shift
  proxies=$(env | grep -iE '^(https?|no)_proxy=' || true)
  # shellcheck disable=SC2086  # proxies are words
  unshare --mount --propagation private bash -euc '
    into=$1; shift
    mount -t proc proc "$into/proc"
    for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
      [[ -e $file && -e $into$file ]] && mount --bind "$file" "$into$file"
    done
    exec chroot "$into" env -i "$@"' in_root "$into" \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive $proxies "$@"
}

bootstrap() {
  local partial=$cache/root.partial mirror
  mirror=$(machine_mirror)
  [[ -n $mirror ]] || { echo "no Debian mirror in this machine's apt sources"; return 1; }
  rm -rf --one-file-system "$partial"
  unshare --mount --propagation private debootstrap --variant=minbase --include=ca-certificates sid "$partial" "$mirror"
  printf 'path-exclude=/usr/share/%s/*\n' doc man locale info >"$partial/etc/dpkg/dpkg.cfg.d/no-documentation"
  echo force-unsafe-io >"$partial/etc/dpkg/dpkg.cfg.d/fast" # one sync at the end, before the stamp, will do
  { # a mirror may lag behind, and a machine's clock may be wrong
    echo 'Acquire::Check-Valid-Until "false";'
    echo 'Acquire::Check-Date "false";'
    echo 'APT::Sandbox::User "root";'
    apt-config dump | grep -iE '^Acquire::https?::Proxy' || true
  } >"$partial/etc/apt/apt.conf.d/99bazelw"
  printf '#!/bin/sh\nexit 101\n' >"$partial/usr/sbin/policy-rc.d" # no service is to be started
  chmod 755 "$partial/usr/sbin/policy-rc.d"
  touch "$partial/etc/resolv.conf" "$partial/etc/hosts" # bound over
  mv -T "$partial" "$root"
}

install_packages() {
  in_root "$root" dpkg --configure -a || true # after an interruption; apt completes what lacks its dependencies
  in_root "$root" apt-get -y --fix-broken install
  in_root "$root" apt-get update
  # shellcheck disable=SC2086  # packages are words
  in_root "$root" apt-get install -y --no-install-recommends $packages
  in_root "$root" apt-get clean
  in_root "$root" bazel --version | grep -q '^bazel 7\.'
  sync --file-system "$root"
  mkdir -p "${stamp%/*}"
  touch "$stamp"
}

install_debootstrap() {
  apt-get update || true # a broken source of something else does not matter
  apt-get install -y --no-install-recommends debootstrap
}

hint="or install Bazel 7 or later (or Bazelisk) and put it on PATH"
((EUID == 0)) || die "no Bazel 7 or later on PATH, and making and entering a Debian root with one needs root: run as root, $hint"
ready && exit 0
command -v apt-get >/dev/null || die "no Bazel 7 or later on PATH, and no apt to install one with: $hint"
exec 9>"$cache/lock"
flock --nonblock 9 || { say "waiting for another bazelw that is installing"; flock 9; }
ready && exit 0
PATH=$PATH:/usr/sbin:/sbin
if [[ -d $root ]]; then
  say "completing the Debian root in $root"
else
  say "no Bazel 7 or later on PATH: installing one in $root (once; about 2 GB, some minutes)"
fi
: >"$log"
[[ -d $root ]] || command -v debootstrap >/dev/null || step "installing debootstrap" install_debootstrap
[[ -d $root ]] || step "making a minimal Debian sid" bootstrap
step "installing $(wc -w <<<"$packages") packages and what they need" install_packages
say "done in ${SECONDS}s"
