#include "shim/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A line is "ffffffff81000000 T _stext" or "ffffffffc0000000 t name\t[module]".
static int match_line(const char *line, const char *name, uint64_t *address) {
  char *end;
  uint64_t found = strtoull(line, &end, 16);
  if (end[0] != ' ' || !end[1] || end[2] != ' ')
    return -ENOENT;
  size_t length = strcspn(end + 3, "\t");
  if (strlen(name) != length || memcmp(end + 3, name, length) != 0)
    return -ENOENT;
  *address = found;
  return found ? 0 : -EACCES;
}

int kallsyms_find(const char *name, uint64_t *address) {
  // Some 200,000 lines: read piece by piece instead of holding 10 MB.
  char buffer[16 * 1024];
  size_t used = 0;
  int err = -ENOENT;
  int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  while (err == -ENOENT) {
    ssize_t length = read(fd, buffer + used, sizeof(buffer) - 1 - used);
    if (length < 0)
      err = -errno;
    if (length <= 0)
      break;
    used += (size_t)length;
    buffer[used] = 0;
    char *line = buffer;
    for (char *end; err == -ENOENT && (end = strchr(line, '\n')); line = end + 1) {
      *end = 0;
      err = match_line(line, name, address);
    }
    used -= (size_t)(line - buffer);
    if (used == sizeof(buffer) - 1)
      used = 0;  // a line longer than the buffer: no symbol that we look for
    memmove(buffer, line, used);
  }
  close(fd);
  return err;
}
