#!/usr/bin/env bash
# Runs a command in the root made by provision.sh, in the current folder: enter.sh CACHE_FOLDER WORKSPACE COMMAND...
#
# The root takes the place of the system's own folders only (/usr, /etc, /var ...); all others, the workspace and
# the cache are bound at the same paths, so paths mean the same inside and outside. pivot_root, not chroot: in a
# chroot the kernel refuses the user namespaces of Bazel's sandbox, and Bazel would silently use a weaker one.
set -euo pipefail

cache=$1 workspace=$2
shift 2
binds=()
bind() {
  local bound
  for bound in "${binds[@]}"; do
    [[ $1/ == "$bound"/* ]] && return
  done
  binds+=("$1")
}
system='^/(bin|boot|etc|lib|lib32|lib64|libx32|lost\+found|sbin|usr|var)(/|$)'
# The folder that holds the root itself comes first, lest the binds of the others be copied along with it.
for dir in "/$(cut -d/ -f2 <<<"$cache")" /*; do
  [[ $dir =~ $system || ! -d $dir || -L $dir ]] || bind "$dir"
done
bind "$cache"
bind "$workspace"

# Nothing of the caller's environment is to reach an action; what remains is about the machine or the terminal.
keep=(HOME USER TERM CI)
for name in $(compgen -e); do
  case $name in
    PIP_* | [Hh][Tt][Tt][Pp]_[Pp][Rr][Oo][Xx][Yy] | [Hh][Tt][Tt][Pp][Ss]_[Pp][Rr][Oo][Xx][Yy] | [Nn][Oo]_[Pp][Rr][Oo][Xx][Yy]) keep+=("$name") ;;
  esac
done
environment=(PATH=/usr/bin:/bin LANG=C.UTF-8)
for name in "${keep[@]}"; do
  [[ -v $name ]] && environment+=("$name=${!name}")
done

exec unshare --mount --propagation private /bin/bash -euc '
  root=$1 here=$PWD
  shift
  mount --bind "$root" "$root"
  while [[ $1 != -- ]]; do
    mkdir -p "$root$1"
    mount --rbind "$1" "$root$1"
    shift
  done
  shift
  for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    [[ -e $file ]] || continue
    [[ -e $root$file ]] || : >"$root$file"
    mount --bind "$file" "$root$file"
  done
  mkdir -p "$root/.host"
  cd "$root"
  pivot_root . .host
  umount -l /.host
  cd "$here"
  exec env -i "$@"' enter "$cache/root" "${binds[@]}" -- "${environment[@]}" "$@"
