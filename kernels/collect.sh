#!/bin/sh
# Copies what a snapshot is made from out of the running kernel into a folder: for hosts that have no Python. As root.
# Needs a POSIX shell with cp, mkdir, cat and mount (busybox will do), and nothing else.
#
#     collect.sh FOLDER
#
# then, anywhere:  snapshot make --from-folder FOLDER -o FILE
set -eu

if [ $# -ne 1 ] || [ -e "$1" ]; then
    echo "usage: collect.sh FOLDER (which must not exist yet)" >&2
    exit 2
fi
out=$1

tracefs=/sys/kernel/tracing
[ -d "$tracefs/events" ] || mount -t tracefs tracefs "$tracefs"
[ -r /sys/kernel/btf/vmlinux ] || {
    echo "collect.sh: /sys/kernel/btf/vmlinux: not readable: the kernel has no BTF, or you are not root" >&2
    exit 1
}

# `cat` rather than `cp`: the kernel's files claim to be empty.
mkdir -p "$out/btf-modules" "$out/tracefs/events"
cat /proc/sys/kernel/osrelease >"$out/uname"
cat /sys/kernel/btf/vmlinux >"$out/vmlinux.btf"
for module in /sys/kernel/btf/*; do
    name=${module##*/}
    [ "$name" = vmlinux ] || cat "$module" >"$out/btf-modules/$name.btf"
done
for format in "$tracefs"/events/*/*/format; do
    folder=${format%/format}
    folder=$out/tracefs/${folder#"$tracefs"/}
    mkdir -p "$folder"
    cat "$format" >"$folder/format"
done
# Some kernels have no such lists, and some let nobody read them.
cat "$tracefs/available_filter_functions" >"$out/tracefs/available_filter_functions" || {
    rm "$out/tracefs/available_filter_functions"
    echo "collect.sh: going on without the traceable functions" >&2
}
cat /proc/kallsyms >"$out/kallsyms" || {
    rm "$out/kallsyms"
    echo "collect.sh: going on without the symbols" >&2
}
echo "collect.sh: $out: $(cat "$out/uname")" >&2
