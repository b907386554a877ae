#include "shim/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 14 };

// A line is "ffffffff81000000 T _stext" or "ffffffffc0000000 t name\t[module]".
static bool parse_line(const char *line, size_t size, struct kallsyms_entry *entry) {
  const char *end = line + size;
  entry->address = 0;
  for (; line < end && *line != ' '; line++)
    entry->address = entry->address << 4 | (uint64_t)(*line <= '9' ? *line - '0' : *line - 'a' + 10);
  if (end - line < 4)
    return false;
  entry->type = line[1];
  entry->name = line + 3;
  const char *tab = memchr(entry->name, '\t', (size_t)(end - entry->name));
  entry->name_size = (size_t)((tab ? tab : end) - entry->name);
  return true;
}

static int visit_lines(int fd, kallsyms_visitor *visit, void *context) {
  char chunk[CHUNK];  // some 200,000 lines: read piece by piece instead of holding 10 MB
  size_t used = 0;
  for (;;) {
    ssize_t got = read(fd, chunk + used, sizeof(chunk) - used);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return got < 0 ? -errno : 0;
    used += (size_t)got;
    const char *line = chunk;
    const char *end;
    while ((end = memchr(line, '\n', used - (size_t)(line - chunk)))) {
      struct kallsyms_entry entry;
      int result = parse_line(line, (size_t)(end - line), &entry) ? visit(context, &entry) : 0;
      if (result)
        return result;
      line = end + 1;
    }
    used -= (size_t)(line - chunk);
    if (used == sizeof(chunk))
      used = 0;  // no name is that long
    memmove(chunk, line, used);
  }
}

int kallsyms_each(kallsyms_visitor *visit, void *context) {
  int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  int result = visit_lines(fd, visit, context);
  close(fd);
  return result;
}

struct search {
  const char *name;
  size_t name_size;
  uint64_t address;
};

static int match(void *context, const struct kallsyms_entry *entry) {
  struct search *search = context;
  if (entry->name_size != search->name_size || memcmp(entry->name, search->name, search->name_size) != 0)
    return 0;
  search->address = entry->address;
  return 1;
}

int kallsyms_find(const char *name, uint64_t *address) {
  struct search search = {.name = name, .name_size = strlen(name)};
  int result = kallsyms_each(match, &search);
  if (result < 0)
    return result;
  if (!result)
    return -ENOENT;
  *address = search.address;
  return search.address ? 0 : -EACCES;
}
