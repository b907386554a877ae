"""The public rules."""

load("//rules/private:binary.bzl", _bpftrace_binary = "bpftrace_binary")
load("//rules/private:kernel_snapshot.bzl", _kernel_snapshot = "kernel_snapshot")
load("//rules/private:library.bzl", _bpftrace_library = "bpftrace_library")
load("//rules/private:toolchain.bzl", _bpftrace_toolchain = "bpftrace_toolchain")

bpftrace_binary = _bpftrace_binary
bpftrace_library = _bpftrace_library
bpftrace_toolchain = _bpftrace_toolchain
kernel_snapshot = _kernel_snapshot
