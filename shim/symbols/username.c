// User ids as names, from /etc/passwd. getpwuid(3) would have a static glibc program load shared libraries.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "shim/output/text.h"
#include "shim/output/value.h"
#include "shim/report.h"

enum { LINE_CAPACITY = 1024 };

// Whether the line "name:password:uid:..." is of the user with this id.
static bool is_user(const char *line, size_t size, const struct number *uid) {
  const char *end = line + size;
  const char *field = line;
  for (int i = 0; i < 2; i++) {
    field = memchr(field, ':', (size_t)(end - field));
    if (!field)
      return false;
    field++;
  }
  const char *field_end = memchr(field, ':', (size_t)(end - field));
  size_t field_size = (size_t)((field_end ? field_end : end) - field);
  return field_size == uid->size && !memcmp(field, uid->text, field_size);
}

// Reads up to the user's line into `lines`. Returns the size of the name at *name, 0 if there is no such user, or a negative errno.
static ssize_t find_user(int fd, const struct number *uid, char lines[LINE_CAPACITY], const char **name) {
  size_t used = 0;
  bool at_end = false;
  while (!at_end) {
    ssize_t got = read(fd, lines + used, LINE_CAPACITY - used);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -errno;
    at_end = got == 0;
    used += (size_t)got;
    const char *line = lines;
    size_t left = used;
    while (left) {
      const char *end = memchr(line, '\n', left);
      if (!end && !at_end && left < LINE_CAPACITY)
        break;
      size_t size = end ? (size_t)(end - line) : left;
      if (is_user(line, size, uid)) {
        *name = line;
        return (const char *)memchr(line, ':', size) - line;
      }
      size += end != NULL;
      line += size;
      left -= size;
    }
    memmove(lines, line, left);
    used = left;
  }
  return 0;
}

void shim_print_username(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  (void)type;
  struct number uid;
  number_format(&uid, load_unsigned(data, 8), DECIMAL, false);
  char lines[LINE_CAPACITY];
  const char *name = lines;
  ssize_t size = -1;
  int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    size = -errno;
  } else {
    size = find_user(fd, &uid, lines, &name);
    close(fd);
  }
  if (size < 0)
    report(REPORT_ERROR, NULL, 0, "%s: /etc/passwd", report_cause((int)size));
  printer->format->string(printer, name, size > 0 ? (size_t)size : 0, "");
}
