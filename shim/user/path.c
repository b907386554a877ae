#include "shim/user/path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/host.h"
#include "shim/small_printf.h"

// glibc's /etc/ld.so.cache (sysdeps/generic/dl-cache.h): a header, entries, strings. Offsets count from the header's start.
struct cache_header {
  char magic[20];  // "glibc-ld.so.cache1.1"
  uint32_t count;
  uint32_t strings_size;
  uint32_t unused[5];
};

struct cache_entry {
  int32_t flags;
  uint32_t name;
  uint32_t path;
  uint32_t os_version;
  uint64_t hardware;
};

#if defined(__x86_64__)
enum { LIBRARY_FLAGS = 0x0303 };  // FLAG_X8664_LIB64 | FLAG_ELF_LIBC6
#elif defined(__aarch64__)
enum { LIBRARY_FLAGS = 0x0a03 };  // FLAG_AARCH64_LIB64 | FLAG_ELF_LIBC6
#endif

// Whether a file name is the library: "libc" has "libc.so" and "libc.so.6", but not "libcrypt.so".
static bool is_library(const char *file, const char *name) {
  size_t size = strlen(name);
  return !strncmp(file, name, size) && (!file[size] || !strncmp(file + size, ".so", 3));
}

static const char *text_at(const char *data, size_t size, uint32_t offset) {
  return offset < size && memchr(data + offset, 0, size - offset) ? data + offset : NULL;
}

static int find_library(const char *name, char *path, uint32_t path_size) {
  static const char magic[] = "glibc-ld.so.cache1.1";
  char *file;
  size_t size;
  if (host_read_file("/etc/ld.so.cache", &file, &size))
    return -ENOENT;
  // Caches of old systems have the entries of an older format before it.
  char *data = memmem(file, size, magic, sizeof(magic) - 1);
  size -= data ? (size_t)(data - file) : 0;
  struct cache_header header = {0};
  if (data && size >= sizeof(header))
    memcpy(&header, data, sizeof(header));
  int err = -ENOENT;
  for (uint32_t i = 0; i < header.count && err; i++) {
    struct cache_entry entry;
    size_t at = sizeof(header) + i * sizeof(entry);
    if (at + sizeof(entry) > size)
      break;
    memcpy(&entry, data + at, sizeof(entry));
    const char *entry_name = text_at(data, size, entry.name), *entry_path = text_at(data, size, entry.path);
    if (entry.flags != LIBRARY_FLAGS || !entry_name || !entry_path || !is_library(entry_name, name))
      continue;
    err = (size_t)small_snprintf(path, path_size, "%s", entry_path) < path_size ? 0 : -ENAMETOOLONG;
  }
  free(file);
  return err;
}

static int find_program(const char *name, char *path, uint32_t size) {
  const char *folder = getenv("PATH");
  while (folder && *folder) {
    size_t length = strcspn(folder, ":");
    if (length < size) {
      memcpy(path, folder, length);
      size_t rest = size - (uint32_t)length;
      if ((size_t)small_snprintf(path + length, rest, "/%s", name) < rest && access(path, X_OK) == 0)
        return 0;
    }
    folder += length + (folder[length] == ':');
  }
  return -ENOENT;
}

int user_path_find(const char *name, int pid, char *path, uint32_t size) {
  if (strchr(name, '/')) {
    // Another mount namespace than ours: the kernel finds the file by the way through procfs too.
    if (pid && *name == '/' && (size_t)small_snprintf(path, size, "/proc/%d/root%s", pid, name) < size && access(path, F_OK) == 0)
      return 0;
    if ((size_t)small_snprintf(path, size, "%s", name) >= size)
      return -ENAMETOOLONG;
    return access(path, F_OK) < 0 ? -errno : 0;
  }
  if (!strncmp(name, "lib", 3) && !find_library(name, path, size))
    return 0;
  return find_program(name, path, size);
}
