#include "shim/bpf.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int bpf_call(enum bpf_command command, void *attr, uint32_t size) {
  long result = syscall(SYS_bpf, (long)command, attr, (unsigned long)size);
  return result < 0 ? -errno : (int)result;
}

int bpf_call_allocating(enum bpf_command command, void *attr, uint32_t size) {
  int result = bpf_call(command, attr, size);
  const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  if (result == -EPERM && setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
    result = bpf_call(command, attr, size);
  return result;
}

static int map_elem_call(enum bpf_command command, int map_fd, const void *key, const void *value) {
  struct bpf_map_elem_attr attr = {.map_fd = (uint32_t)map_fd, .key = bpf_pointer(key), .value = bpf_pointer(value)};
  return bpf_call(command, &attr, sizeof(attr));
}

int bpf_map_lookup(int map_fd, const void *key, void *value) {
  return map_elem_call(BPF_MAP_LOOKUP_ELEM, map_fd, key, value);
}

int bpf_map_update(int map_fd, const void *key, const void *value) {
  return map_elem_call(BPF_MAP_UPDATE_ELEM, map_fd, key, value);
}

int bpf_map_delete(int map_fd, const void *key) {
  // The kernel checks that the fields which a command does not use are zero: no value here.
  return map_elem_call(BPF_MAP_DELETE_ELEM, map_fd, key, NULL);
}

int bpf_map_next_key(int map_fd, const void *key, void *next_key) {
  return map_elem_call(BPF_MAP_GET_NEXT_KEY, map_fd, key, next_key);
}

int bpf_program_run(int program_fd) {
  struct bpf_test_run_attr attr = {.prog_fd = (uint32_t)program_fd};
  return bpf_call(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
}

int perf_event_open(const struct perf_event_attr *attr, int pid, int cpu) {
  long result = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  return result < 0 ? -errno : (int)result;
}
