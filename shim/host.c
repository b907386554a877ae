#include "shim/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "shim/kernel.h"
#include "shim/small_printf.h"

enum { MAX_READ_SIZE = 1 << 27 };

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
  data[length < 0 ? 0 : length] = 0;
  if (length < 0)
    length = -errno;
  close(fd);
  return length;
}

int host_read_cpu_list(const char *path, struct cpu_list *list) {
  char text[4096] = "";
  *list = (struct cpu_list){0};
  ssize_t length = read_small_file(path, text, sizeof(text));
  if (length < 0)
    return (int)length;
  for (char *at = text; *at >= '0' && *at <= '9';) {
    uint32_t first = (uint32_t)strtoul(at, &at, 10), last = first;
    if (*at == '-')
      last = (uint32_t)strtoul(at + 1, &at, 10);
    if (last < first)
      return -EINVAL;
    if (!list->count)
      list->lowest = first;
    list->highest = last;
    list->count += last - first + 1;
    at += *at == ',';
  }
  return list->count ? 0 : -EINVAL;
}

int host_possible_cpus(void) {
  static int cpus;
  struct cpu_list list;
  if (!cpus) {
    int err = host_read_cpu_list("/sys/devices/system/cpu/possible", &list);
    cpus = err ? err : (int)list.count;
  }
  return cpus;
}

// Returns a file descriptor or a negative errno. Paths may lead to what traced processes have put there: a pipe that nobody writes to must
// not hold the tracer up.
static int open_regular(const char *path, uint64_t *size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return -errno;
  struct stat status;
  int err = fstat(fd, &status) < 0 ? -errno : S_ISREG(status.st_mode) ? 0 : -ENOEXEC;
  if (err) {
    close(fd);
    return err;
  }
  *size = (uint64_t)status.st_size;
  return fd;
}

int host_read_file(const char *path, char **data, size_t *size) {
  // Files of procfs, tracefs and sysfs do not tell their size: grow as it comes.
  size_t capacity = 65536, used = 0;
  uint64_t known_size;
  int err = 0;
  char *buffer = NULL;
  int fd = open_regular(path, &known_size);
  if (fd < 0)
    return fd;
  for (;;) {
    if (used > MAX_READ_SIZE) {
      err = -EFBIG;
      goto out;
    }
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

static size_t page_size;

// Of a mapped file that has been cut short meanwhile (as a copy over it does at first), what is missing reads as zero. What is in such
// a file is never trusted.
static void fill_with_zeros(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  void *page = (void *)((uintptr_t)info->si_addr & ~(page_size - 1));
  bool is_missing = info->si_code == BUS_ADRERR;
  if (!is_missing || mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
    signal(signal_number, SIG_DFL);  // and the same access, which comes next, ends the process
}

static void survive_cut_files(void) {
  const struct sigaction action = {.sa_sigaction = fill_with_zeros, .sa_flags = SA_SIGINFO | SA_RESTART};
  if (page_size)
    return;
  page_size = (size_t)sysconf(_SC_PAGESIZE);
  sigaction(SIGBUS, &action, NULL);
}

int host_map_file(const char *path, uint64_t start, const uint8_t **data, size_t *size) {
  uint64_t whole = 0;
  int fd = open_regular(path, &whole);
  if (fd < 0)
    return fd;
  int err = whole > start ? 0 : -ENOEXEC;
  survive_cut_files();
  if (!err) {
    *size = (size_t)(whole - start);
    void *map = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, (off_t)start);
    err = map == MAP_FAILED ? -errno : 0;
    *data = map;
  }
  close(fd);
  return err;
}

const char *host_tracefs(void) {
  static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
  for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
    char probe[64];
    small_snprintf(probe, sizeof(probe), "%s/events", places[i]);
    if (access(probe, F_OK) == 0 || errno == EACCES)
      return places[i];
  }
  return NULL;
}
