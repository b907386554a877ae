// bpf(2) and perf_event_open(2). All functions return a value >= 0, or a negative errno; fds are close-on-exec.
#ifndef SHIM_BPF_H
#define SHIM_BPF_H

#include <stdint.h>

#include "shim/kernel.h"

int bpf_call(enum bpf_command command, void *attr, uint32_t size);

// As bpf_call. Kernels before 5.11 count BPF memory against RLIMIT_MEMLOCK and answer EPERM: then the limit is raised and
// the call repeated. (Later ones count it in the memory cgroup, so the limit stays untouched there.)
int bpf_call_allocating(enum bpf_command command, void *attr, uint32_t size);

int bpf_map_lookup(int map_fd, const void *key, void *value);
int bpf_map_update(int map_fd, const void *key, const void *value);
int bpf_map_delete(int map_fd, const void *key);
// The first key if `key` is NULL; -ENOENT behind the last one.
int bpf_map_next_key(int map_fd, const void *key, void *next_key);

// Runs a program of type raw_tracepoint once, with a context of zeros.
int bpf_program_run(int program_fd);

int perf_event_open(const struct perf_event_attr *attr, int pid, int cpu);

static inline uint64_t bpf_pointer(const void *pointer) {
  return (uint64_t)(uintptr_t)pointer;
}

#endif
