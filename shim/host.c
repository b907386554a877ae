#include "shim/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "shim/kernel.h"

const char *host_release(void) {
  static struct utsname name;
  if (!name.release[0] && uname(&name) < 0)
    return "unknown";
  return name.release;
}

uint32_t host_kernel_version(void) {
  char *end;
  unsigned long major = strtoul(host_release(), &end, 10);
  if (*end != '.' || major > 255)
    return 0;
  unsigned long minor = strtoul(end + 1, NULL, 10);
  return minor > 255 ? 0 : (uint32_t)KERNEL_VERSION(major, minor, 0);
}

static ssize_t read_small_file(const char *path, char *data, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  ssize_t length = read(fd, data, size - 1);
  if (length < 0)
    length = -errno;
  else
    data[length] = 0;
  close(fd);
  return length;
}

int host_highest_in_list(const char *path) {
  char list[4096];
  ssize_t length = read_small_file(path, list, sizeof(list));
  if (length < 0)
    return (int)length;
  const char *last = list;
  for (const char *at = list; *at; at++)
    if ((*at == '-' || *at == ',') && at[1])
      last = at + 1;
  return *last >= '0' && *last <= '9' ? atoi(last) : -EINVAL;
}

int host_lowest_in_list(const char *path) {
  char list[4096];
  ssize_t length = read_small_file(path, list, sizeof(list));
  if (length < 0)
    return (int)length;
  return *list >= '0' && *list <= '9' ? atoi(list) : -EINVAL;
}

int host_possible_cpus(void) {
  static int cpus;
  if (!cpus) {
    int highest = host_highest_in_list("/sys/devices/system/cpu/possible");
    cpus = highest < 0 ? highest : highest + 1;
  }
  return cpus;
}

int host_read_file(const char *path, char **data, size_t *size) {
  // Files of procfs, tracefs and sysfs do not tell their size: grow as it comes.
  size_t capacity = 64 * 1024, used = 0;
  int err = 0;
  char *buffer = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  for (;;) {
    if (!buffer || used + 1 == capacity) {
      capacity *= 2;
      char *larger = realloc(buffer, capacity);
      if (!larger) {
        err = -ENOMEM;
        goto out;
      }
      buffer = larger;
    }
    ssize_t length = read(fd, buffer + used, capacity - used - 1);
    if (length < 0 && errno == EINTR)
      continue;
    if (length < 0) {
      err = -errno;
      goto out;
    }
    if (length == 0)
      break;
    used += (size_t)length;
  }
  buffer[used] = 0;
  *data = buffer;
  *size = used;
  buffer = NULL;
out:
  free(buffer);
  close(fd);
  return err;
}

const char *host_tracefs(void) {
  static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
  for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
    char probe[64];
    snprintf(probe, sizeof(probe), "%s/events", places[i]);
    if (access(probe, F_OK) == 0)
      return places[i];
  }
  return NULL;
}
