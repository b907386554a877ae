// Facts of the host.
#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shim/constants.h"
#include "shim/host.h"
#include "shim/report.h"

// PROC_PID_INIT_INO of include/linux/proc_ns.h: the inode of the first PID namespace.
enum { INITIAL_PID_NAMESPACE = (int)0xEFFFFFFC };

static int read_clock_ns(clockid_t clock, uint64_t *ns) {
  struct timespec now;
  if (clock_gettime(clock, &now) < 0)
    return -errno;
  *ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
  return 0;
}

// CLOCK_TAI - CLOCK_BOOTTIME. It wraps where the clock was never set.
static int read_tai_offset_ns(uint64_t *offset) {
  uint64_t tai = 0, boot = 0;
  int err = read_clock_ns(CLOCK_TAI, &tai);
  if (!err)
    err = read_clock_ns(CLOCK_BOOTTIME, &boot);
  if (!err)
    *offset = tai - boot;
  return err;
}

static int find_value(const struct tracer *tracer, uint32_t kind, uint64_t *value) {
  struct cpu_list list;
  struct stat status;
  int err = 0;
  switch (kind) {
    case PB_HOST_VALUE_START_TIME_BOOT_NS:
      *value = tracer->start_time_ns;
      return 0;
    case PB_HOST_VALUE_POSSIBLE_CPUS:
    case PB_HOST_VALUE_MAX_CPU_ID:
      err = host_read_cpu_list("/sys/devices/system/cpu/possible", &list);
      *value = kind == PB_HOST_VALUE_POSSIBLE_CPUS ? list.count : list.highest;
      return err;
    case PB_HOST_VALUE_NUMA_NODES:
      err = host_read_cpu_list("/sys/devices/system/node/possible", &list);
      *value = err == -ENOENT ? 1 : list.count;  // a kernel without NUMA
      return err == -ENOENT ? 0 : err;
    case PB_HOST_VALUE_CHILD_PID:
      *value = (uint64_t)tracer->command.pid;
      return 0;
    case PB_HOST_VALUE_HAS_CHILD:
      *value = tracer->command.pid != 0;
      return 0;
    case PB_HOST_VALUE_TARGET_PID:
      *value = (uint64_t)tracer->options.pid;
      return 0;
    case PB_HOST_VALUE_TAI_OFFSET_NS:
      return read_tai_offset_ns(value);
    case PB_HOST_VALUE_PAGE_SIZE:
      *value = (uint64_t)sysconf(_SC_PAGESIZE);
      return 0;
    case PB_HOST_VALUE_PID_NAMESPACE_DEVICE:
    case PB_HOST_VALUE_PID_NAMESPACE_INODE:
    case PB_HOST_VALUE_IN_INITIAL_PID_NAMESPACE:
      if (stat("/proc/self/ns/pid", &status) < 0)
        return -errno;
      if (kind == PB_HOST_VALUE_PID_NAMESPACE_DEVICE)
        *value = status.st_dev;
      else if (kind == PB_HOST_VALUE_PID_NAMESPACE_INODE)
        *value = status.st_ino;
      else
        *value = status.st_ino == (ino_t)(uint32_t)INITIAL_PID_NAMESPACE;
      return 0;
    case PB_HOST_VALUE_POSITIONAL_COUNT:
      *value = tracer->options.positional_count;
      return 0;
    case PB_HOST_VALUE_TRACER_PID:
      *value = (uint64_t)getpid();
      return 0;
    default:
      return -EOPNOTSUPP;
  }
}

static int resolve_host(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  static const char *const names[] = {
      [PB_HOST_VALUE_START_TIME_BOOT_NS] = "start time",
      [PB_HOST_VALUE_POSSIBLE_CPUS] = "possible CPUs",
      [PB_HOST_VALUE_MAX_CPU_ID] = "highest CPU",
      [PB_HOST_VALUE_NUMA_NODES] = "NUMA nodes",
      [PB_HOST_VALUE_CHILD_PID] = "child",
      [PB_HOST_VALUE_HAS_CHILD] = "child",
      [PB_HOST_VALUE_PAGE_SIZE] = "page size",
      [PB_HOST_VALUE_PID_NAMESPACE_DEVICE] = "PID namespace",
      [PB_HOST_VALUE_PID_NAMESPACE_INODE] = "PID namespace",
      [PB_HOST_VALUE_IN_INITIAL_PID_NAMESPACE] = "PID namespace",
      [PB_HOST_VALUE_POSITIONAL_COUNT] = "parameters",
      [PB_HOST_VALUE_TRACER_PID] = "own PID",
      [PB_HOST_VALUE_TAI_OFFSET_NS] = "TAI",
      [PB_HOST_VALUE_TARGET_PID] = "traced PID",
  };
  if (constant->host->kind == PB_HOST_VALUE_PROGRAM_RESULT) {
    value->state = CONSTANT_RESULT;
    return 0;
  }
  int err = find_value(tracer, constant->host->kind, &value->immediate);
  if (err)
    report(REPORT_ERROR, tracer->resources, constant->span, "host: find out %s: %s", names[constant->host->kind],
           report_cause(err));
  return err;
}

const struct constant_family shim_constant_host = {.resolve = resolve_host};
