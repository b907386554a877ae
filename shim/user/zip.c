#include "shim/user/zip.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/host.h"
#include "shim/report.h"

// Numbers are little-endian, as on the hosts that the shim is for, and not aligned.
enum {
  DIRECTORY_END = 0x06054b50,  // signatures
  DIRECTORY_ENTRY = 0x02014b50,
  LOCAL_HEADER = 0x04034b50,
  MAX_COMMENT = 0xffff,
  IS_ENCRYPTED = 1,
  STORED = 0,
  IN_ZIP64 = 0xffff,  // the number is in a record of the 64-bit format
};
static const uint32_t OFFSET_IN_ZIP64 = 0xffffffff;

static const char DAMAGED[] = "is in a file that is no ZIP archive, or a damaged one";
static const char ZIP64[] = "is in a ZIP archive of the 64-bit format, which is not supported";

struct __attribute__((packed)) directory_end {
  uint32_t signature;
  uint16_t disk, directory_disk;
  uint16_t disk_entries, entries;
  uint32_t directory_size, directory_offset;
  uint16_t comment_size;
};

struct __attribute__((packed)) directory_entry {
  uint32_t signature;
  uint16_t made_by, needed, flags, method, time, date;
  uint32_t checksum, stored_size, size;
  uint16_t name_size, extra_size, comment_size;
  uint16_t disk, internal_attributes;
  uint32_t external_attributes, header_offset;
};

struct __attribute__((packed)) local_header {
  uint32_t signature;
  uint16_t needed, flags, method, time, date;
  uint32_t checksum, stored_size, size;
  uint16_t name_size, extra_size;
};

struct archive {
  const uint8_t *data;
  size_t size;
};

static bool read_at(const struct archive *archive, uint64_t offset, void *to, size_t size) {
  if (offset > archive->size || size > archive->size - offset)
    return false;
  memcpy(to, archive->data + offset, size);
  return true;
}

// It is the last thing in the file but for a comment, whose length it tells.
static bool find_directory(const struct archive *archive, struct directory_end *end) {
  for (uint64_t comment = 0; comment <= MAX_COMMENT && comment + sizeof(*end) <= archive->size; comment++)
    if (read_at(archive, archive->size - comment - sizeof(*end), end, sizeof(*end)) && end->signature == DIRECTORY_END &&
        end->comment_size == comment)
      return true;
  return false;
}

// Where the data are: behind the member's own header, whose extra fields are not those of the directory.
static const char *locate(const struct archive *archive, const struct directory_entry *entry, uint64_t *start) {
  struct local_header header;
  if (entry->stored_size == OFFSET_IN_ZIP64 || entry->size == OFFSET_IN_ZIP64 || entry->header_offset == OFFSET_IN_ZIP64)
    return ZIP64;
  if (entry->method != STORED || entry->flags & IS_ENCRYPTED)
    return "is compressed or encrypted in the archive, so that no process can map it";
  if (!read_at(archive, entry->header_offset, &header, sizeof(header)) || header.signature != LOCAL_HEADER)
    return DAMAGED;
  *start = entry->header_offset + sizeof(header) + header.name_size + header.extra_size;
  if (*start > archive->size || entry->stored_size > archive->size - *start)
    return DAMAGED;
  return *start % (uint64_t)sysconf(_SC_PAGESIZE) ? "is not at the beginning of a page in the archive, so that no process can map it" : NULL;
}

const char *zip_find(const uint8_t *data, size_t size, const char *member, uint64_t *start) {
  const struct archive archive = {data, size};
  struct directory_end end;
  if (!find_directory(&archive, &end))
    return DAMAGED;
  if (end.entries == IN_ZIP64 || end.directory_size == OFFSET_IN_ZIP64 || end.directory_offset == OFFSET_IN_ZIP64)
    return ZIP64;
  uint64_t at = end.directory_offset;
  for (uint32_t i = 0; i < end.entries; i++) {
    struct directory_entry entry;
    if (!read_at(&archive, at, &entry, sizeof(entry)) || entry.signature != DIRECTORY_ENTRY)
      return DAMAGED;
    uint64_t name = at + sizeof(entry);
    at = name + entry.name_size + entry.extra_size + entry.comment_size;
    if (at > size)
      return DAMAGED;
    if (entry.name_size == strlen(member) && !memcmp(data + name, member, entry.name_size))
      return locate(&archive, &entry, start);
  }
  return "is not in the archive";
}

const char *shim_zip_find(const char *archive, const char *member, uint64_t *start) {
  const uint8_t *data;
  size_t size;
  int err = host_map_file(archive, 0, &data, &size);
  if (err)
    return err == -ENOEXEC ? DAMAGED : report_cause(err);
  const char *problem = zip_find(data, size, member, start);
  munmap((void *)(uintptr_t)data, size);
  return problem;
}
