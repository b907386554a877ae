#include "shim/user/mapping_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/kernel.h"
#include "shim/small_printf.h"

// Where records have what (linux/perf_event.h). The time is at the end of all.
enum {
  PID_AT = 8,
  PARENT_AT = 12,  // of FORK
  BEGIN_AT = 16,   // of MMAP2
  SIZE_AT = 24,
  OFFSET_AT = 32,
  MAJOR_AT = 40,
  MINOR_AT = 44,
  INODE_AT = 48,
  PATH_AT = 72,
  TIME_SIZE = 8,
};

// There are two halves. When one is full the other one, with what is older, becomes empty.
enum { HALF_SIZE = 1 << 20, LARGEST_RECORD = 1 << 13, MAX_MAPPINGS = 1024, MAX_GENERATIONS = 16, LINE_ROOM = 128 };

static struct {
  uint8_t *halves[2];
  uint32_t used[2];
  uint32_t current;
} history;

// The mappings of one process.
struct collection {
  const uint8_t *records[MAX_MAPPINGS];
  uint32_t count;
};

static uint32_t load_u32(const uint8_t *record, uint32_t at) {
  uint32_t value;
  memcpy(&value, record + at, sizeof(value));
  return value;
}

static uint64_t load_u64(const uint8_t *record, uint32_t at) {
  uint64_t value;
  memcpy(&value, record + at, sizeof(value));
  return value;
}

static struct perf_event_header header_of(const uint8_t *record) {
  struct perf_event_header header;
  memcpy(&header, record, sizeof(header));
  return header;
}

static uint64_t time_of(const uint8_t *record) {
  return load_u64(record, header_of(record).size - (uint32_t)TIME_SIZE);
}

// Whether it says what the history is asked for. Threads are no processes; memory without a file has no symbols, but for the vDSO.
static bool is_wanted(const uint8_t *record, const struct perf_event_header *header) {
  switch (header->type) {
    case PERF_RECORD_MMAP2:
      return header->size > PATH_AT + TIME_SIZE && memchr(record + PATH_AT, 0, header->size - PATH_AT - (size_t)TIME_SIZE) &&
             (load_u64(record, INODE_AT) || !strcmp((const char *)record + PATH_AT, "[vdso]"));
    case PERF_RECORD_COMM:
      return header->misc & PERF_RECORD_MISC_COMM_EXEC && header->size >= PARENT_AT + TIME_SIZE;
    case PERF_RECORD_FORK:
      return header->size >= BEGIN_AT + TIME_SIZE && load_u32(record, PID_AT) != load_u32(record, PARENT_AT);
    default:
      return false;
  }
}

bool mapping_history_add(const uint8_t *record, uint32_t size) {
  if (size < sizeof(struct perf_event_header) || size > LARGEST_RECORD)
    return false;
  struct perf_event_header header = header_of(record);
  if (header.size != size || !is_wanted(record, &header))
    return false;
  if (history.used[history.current] + size > HALF_SIZE) {
    history.current = !history.current;
    history.used[history.current] = 0;
  }
  uint8_t **half = &history.halves[history.current];
  if (!*half)
    *half = malloc(HALF_SIZE);  // its pages are there once they are written
  if (!*half)
    return false;
  memcpy(*half + history.used[history.current], record, size);
  history.used[history.current] += size;
  return true;
}

void mapping_history_add_mapping(uint32_t pid, const struct mapping *mapping) {
  _Alignas(8) uint8_t record[LARGEST_RECORD] = {0};
  size_t path = strlen(mapping->path);
  uint64_t size = mapping->end - mapping->begin;
  uint32_t major = (uint32_t)(mapping->device >> 32), minor = (uint32_t)mapping->device;
  if (path >= sizeof(record) - PATH_AT - TIME_SIZE)
    return;
  const struct perf_event_header header = {
      .type = PERF_RECORD_MMAP2,
      .size = (uint16_t)(PATH_AT + path + 1 + TIME_SIZE),
  };
  memcpy(record, &header, sizeof(header));
  memcpy(record + PID_AT, &pid, sizeof(pid));
  memcpy(record + BEGIN_AT, &mapping->begin, sizeof(mapping->begin));
  memcpy(record + SIZE_AT, &size, sizeof(size));
  memcpy(record + OFFSET_AT, &mapping->offset, sizeof(mapping->offset));
  memcpy(record + MAJOR_AT, &major, sizeof(major));
  memcpy(record + MINOR_AT, &minor, sizeof(minor));
  memcpy(record + INODE_AT, &mapping->inode, sizeof(mapping->inode));
  memcpy(record + PATH_AT, mapping->path, path);
  mapping_history_add(record, header.size);
}

// Goes through the records, the older half first.
struct cursor {
  uint32_t part;
  uint32_t at;
};

// The next record, NULL at the end.
static const uint8_t *next_record(struct cursor *cursor) {
  for (; cursor->part < 2; cursor->part++, cursor->at = 0) {
    uint32_t half = cursor->part ? history.current : !history.current;
    if (cursor->at < history.used[half]) {
      const uint8_t *record = history.halves[half] + cursor->at;
      cursor->at += header_of(record).size;
      return record;
    }
  }
  return NULL;
}

// Whether a beginning is later than another. A clock may be so coarse that a fork and the exec after it have the same time.
static bool is_later(const uint8_t *record, const uint8_t *other) {
  return time_of(record) > time_of(other) ||
         (time_of(record) == time_of(other) && header_of(record).type == PERF_RECORD_COMM);
}

// The last record up to `end` by which a process began to be what it then was: its exec, or its fork. NULL for none.
static const uint8_t *find_beginning(uint32_t pid, uint64_t end) {
  const uint8_t *found = NULL;
  struct cursor cursor = {0};
  for (const uint8_t *record; (record = next_record(&cursor));)
    if (header_of(record).type != PERF_RECORD_MMAP2 && load_u32(record, PID_AT) == pid && time_of(record) <= end &&
        (!found || is_later(record, found)))
      found = record;
  return found;
}

// Those that a process had at `end`: since its exec, or its own and those of its parent before the fork.
static void collect(struct collection *collection, uint32_t pid, uint64_t end) {
  for (int generation = 0; generation < MAX_GENERATIONS; generation++) {
    const uint8_t *beginning = find_beginning(pid, end);
    uint64_t begin = beginning ? time_of(beginning) : 0;
    struct cursor cursor = {0};
    for (const uint8_t *record; collection->count < MAX_MAPPINGS && (record = next_record(&cursor));)
      if (header_of(record).type == PERF_RECORD_MMAP2 && load_u32(record, PID_AT) == pid && time_of(record) >= begin &&
          time_of(record) <= end)
        collection->records[collection->count++] = record;
    if (!beginning || header_of(beginning).type != PERF_RECORD_FORK)
      return;
    pid = load_u32(beginning, PARENT_AT);
    end = begin;
  }
}

static int compare_newest_first(const void *left, const void *right) {
  uint64_t a = time_of(*(const uint8_t *const *)left), b = time_of(*(const uint8_t *const *)right);
  return (a < b) - (a > b);
}

// A path is cut at a line's end, which /proc/PID/maps would write as \012: such a file is found by neither.
static size_t write_line(char *text, const uint8_t *record) {
  const char *path = (const char *)record + PATH_AT;
  unsigned long long begin = load_u64(record, BEGIN_AT), end = begin + load_u64(record, SIZE_AT);
  unsigned long long offset = load_u64(record, OFFSET_AT), inode = load_u64(record, INODE_AT);
  size_t size = (size_t)small_snprintf(text, LINE_ROOM, "%llx-%llx r-xp %llx %x:%x %llu ", begin, end, offset,
                                       load_u32(record, MAJOR_AT), load_u32(record, MINOR_AT), inode);
  size_t path_size = strcspn(path, "\n");
  memcpy(text + size, path, path_size);
  text[size + path_size] = '\n';
  return size + path_size + 1;
}

int mapping_history_read(uint32_t pid, struct mappings *mappings) {
  static struct collection collection;
  collection.count = 0;
  collect(&collection, pid, UINT64_MAX);
  if (!collection.count)
    return -ENOENT;
  qsort(collection.records, collection.count, sizeof(*collection.records), compare_newest_first);
  size_t room = 1;
  for (uint32_t i = 0; i < collection.count; i++)
    room += LINE_ROOM + strlen((const char *)collection.records[i] + PATH_AT);
  char *text = malloc(room);
  if (!text)
    return -ENOMEM;
  size_t size = 0;
  for (uint32_t i = 0; i < collection.count; i++)
    size += write_line(text + size, collection.records[i]);
  text[size] = 0;
  return mappings_parse(text, mappings);
}

void mapping_history_free(void) {
  free(history.halves[0]);
  free(history.halves[1]);
  memset(&history, 0, sizeof(history));
}
