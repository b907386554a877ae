// Facts of the host, read when first needed.
#ifndef SHIM_HOST_H
#define SHIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The kernel's release as uname(2) gives it ("6.1.0-49-amd64"), for messages.
const char *host_release(void);
// Its version as KERNEL_VERSION(a, b, 0); 0 if the release does not begin with two numbers.
uint32_t host_kernel_version(void);

// What a list of CPUs or nodes ("0-3,8") in sysfs holds.
struct cpu_list {
  uint32_t lowest;
  uint32_t highest;
  uint32_t count;
};

// Reads a list file, such as /sys/devices/system/cpu/possible. Returns 0 or a negative errno, -EINVAL if it is no list.
int host_read_cpu_list(const char *path, struct cpu_list *list);
// Number of possible CPUs (at least 1), which is the number of values of a per-CPU map; or a negative errno.
int host_possible_cpus(void);

// Reads a whole file into memory and ends it by NUL. Returns 0 or a negative errno, -ENOEXEC if it is no regular file, -EFBIG if it has
// more than 128 MiB; release *data with free().
int host_read_file(const char *path, char **data, size_t *size);

// Maps a regular file, from `start` (a multiple of the page's size) to its end. Returns 0 or a negative errno, -ENOEXEC if it does not go
// so far; release with munmap(). Pages that are cut off the file later read as zero.
int host_map_file(const char *path, uint64_t start, const uint8_t **data, size_t *size);

// The directory where tracefs is mounted, or NULL if it is at neither of its two usual places. To others than root it is
// closed: reading a file in it fails with -EACCES.
const char *host_tracefs(void);

#endif
