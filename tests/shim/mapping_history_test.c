// What processes had mapped, from records as the kernel writes them.
#include "shim/user/mapping_history.h"

#include <string.h>

#include "shim/kernel.h"
#include "tests/shim/check.h"

enum { TIME_SIZE = 8, RECORD_ROOM = 256 };

struct record {
  uint32_t size;
  uint8_t bytes[RECORD_ROOM];
};

static void put(struct record *record, const void *value, size_t size) {
  memcpy(record->bytes + record->size, value, size);
  record->size += (uint32_t)size;
}

static void put_u32(struct record *record, uint32_t value) {
  put(record, &value, sizeof(value));
}

static void put_u64(struct record *record, uint64_t value) {
  put(record, &value, sizeof(value));
}

static bool add(struct record *record, uint32_t type, uint16_t misc, uint64_t time) {
  put_u64(record, time);
  const struct perf_event_header header = {.type = type, .misc = misc, .size = (uint16_t)record->size};
  memcpy(record->bytes, &header, sizeof(header));
  return mapping_history_add(record->bytes, record->size);
}

static bool add_mapping(uint32_t pid, uint64_t begin, uint64_t inode, const char *path, uint64_t time) {
  struct record record = {.size = sizeof(struct perf_event_header)};
  char padded[RECORD_ROOM / 2] = {0};
  put_u32(&record, pid);
  put_u32(&record, pid);
  put_u64(&record, begin);
  put_u64(&record, 0x1000);
  put_u64(&record, 0x2000);
  put_u32(&record, 0xfe);
  put_u32(&record, 3);
  put_u64(&record, inode);
  put_u64(&record, 0);  // generation
  put_u64(&record, 0);  // protection and flags
  snprintf(padded, sizeof(padded), "%s", path);
  put(&record, padded, strlen(path) / 8 * 8 + 8);
  return add(&record, PERF_RECORD_MMAP2, 0, time);
}

static bool add_name(uint32_t pid, uint16_t misc, uint64_t time) {
  struct record record = {.size = sizeof(struct perf_event_header)};
  put_u32(&record, pid);
  put_u32(&record, pid);
  put(&record, "program\0", 8);
  return add(&record, PERF_RECORD_COMM, misc, time);
}

static bool add_exec(uint32_t pid, uint64_t time) {
  return add_name(pid, PERF_RECORD_MISC_COMM_EXEC, time);
}

static bool add_fork(uint32_t pid, uint32_t parent, uint64_t time) {
  struct record record = {.size = sizeof(struct perf_event_header)};
  put_u32(&record, pid);
  put_u32(&record, parent);
  put_u32(&record, pid);
  put_u32(&record, parent);
  put_u64(&record, time);
  return add(&record, PERF_RECORD_FORK, 0, time);
}

// Whether a process had mapped files of exactly these paths, newest first, with a blank behind each.
static bool had(uint32_t pid, const char *paths) {
  struct mappings mappings = {0};
  char found[RECORD_ROOM] = "";
  size_t size = 0;
  mapping_history_read(pid, &mappings);
  for (uint32_t i = 0; i < mappings.count && size < sizeof(found); i++)
    size += (size_t)snprintf(found + size, sizeof(found) - size, "%s ", mappings.list[i].path);
  mappings_free(&mappings);
  return !strcmp(found, paths);
}

static void test_mapping(void) {
  struct mappings mappings;
  CHECK(add_mapping(7, 0x555500001000, 123, "/bin/a program", 10));
  CHECK(mapping_history_read(7, &mappings) == 0 && mappings.count == 1);
  const struct mapping *mapping = mappings.list;
  CHECK(mapping->begin == 0x555500001000 && mapping->end == 0x555500002000 && mapping->offset == 0x2000);
  CHECK(mapping->device == (0xfeULL << 32 | 3) && mapping->inode == 123 && !strcmp(mapping->path, "/bin/a program"));
  mapping_history_free();
  mapping_history_add_mapping(8, mapping);
  mappings_free(&mappings);
  CHECK(had(7, "") && had(8, "/bin/a program "));
  mapping_history_free();
}

static void test_exec(void) {
  CHECK(add_mapping(7, 0x1000, 1, "/old", 10) && add_exec(7, 20) && add_mapping(7, 0x1000, 2, "/new", 21));
  CHECK(add_mapping(7, 0x5000, 3, "/library", 22) && add_mapping(9, 0x5000, 3, "/other", 23));
  CHECK(had(7, "/library /new "));
  mapping_history_free();
}

static void test_fork(void) {
  CHECK(add_exec(7, 10) && add_mapping(7, 0x1000, 1, "/parent", 11) && add_fork(8, 7, 20) && add_fork(9, 8, 30));
  CHECK(add_mapping(7, 0x2000, 1, "/later", 25) && add_mapping(8, 0x3000, 1, "/own", 26) && add_mapping(9, 0x4000, 1, "/last", 31));
  CHECK(had(7, "/later /parent ") && had(8, "/own /parent ") && had(9, "/last /own /parent "));
  CHECK(add_exec(8, 40));
  CHECK(had(8, "") && had(9, "/last /own /parent "));
  mapping_history_free();
}

// A coarse clock.
static void test_all_at_one_time(void) {
  CHECK(add_mapping(5, 0x1000, 1, "/shell", 5) && add_exec(7, 20) && add_mapping(7, 0x1000, 1, "/parent", 20));
  CHECK(add_fork(7, 5, 20) && add_fork(8, 7, 20));
  CHECK(had(7, "/parent ") && had(8, "/parent "));
  mapping_history_free();
}

// Each processor has its own records.
static void test_any_order(void) {
  CHECK(add_mapping(7, 0x5000, 3, "/library", 22) && add_mapping(7, 0x1000, 2, "/new", 21) && add_exec(7, 20));
  CHECK(add_mapping(7, 0x1000, 1, "/old", 10));
  CHECK(had(7, "/library /new "));
  mapping_history_free();
}

static void test_a_number_is_given_again(void) {
  CHECK(add_mapping(7, 0x1000, 1, "/first", 10) && add_mapping(5, 0x1000, 1, "/shell", 5) && add_fork(7, 5, 20));
  CHECK(had(7, "/shell "));
  CHECK(add_exec(7, 30) && add_mapping(7, 0x1000, 1, "/second", 31));
  CHECK(had(7, "/second "));
  mapping_history_free();
}

static void test_what_is_refused(void) {
  struct record record = {.size = 8};
  CHECK(!add_mapping(7, 0x1000, 0, "//anon", 10));
  CHECK(add_mapping(7, 0x1000, 0, "[vdso]", 10));
  CHECK(!add_name(7, 0, 11));
  CHECK(!add_fork(7, 7, 12));  // a thread
  CHECK(!add(&record, PERF_RECORD_MMAP2, 0, 13) && !add(&record, PERF_RECORD_SAMPLE, 0, 13));
  CHECK(!mapping_history_add(record.bytes, 4) && !mapping_history_add(record.bytes, record.size - 1));
  CHECK(had(7, "[vdso] ") && had(8, ""));
  mapping_history_free();
}

static void test_the_oldest_is_forgotten(void) {
  enum { COUNT = 50000 };
  for (uint32_t i = 1; i <= COUNT; i++)
    CHECK(add_mapping(i, 0x1000, 1, "/usr/lib/x86_64-linux-gnu/libc.so.6", i));
  uint32_t oldest = 1;
  while (oldest < COUNT && had(oldest, ""))
    oldest += 100;
  CHECK(oldest > 10000 && oldest < COUNT - 5000);
  CHECK(had(COUNT, "/usr/lib/x86_64-linux-gnu/libc.so.6 "));
  mapping_history_free();
}

static void test_any_bytes(void) {
  for (int i = 0; i < 20000; i++) {
    uint8_t bytes[128];
    struct perf_event_header header = {.type = random_below(12), .size = (uint16_t)(8 + random_below(sizeof(bytes) - 8))};
    header.misc = (uint16_t)(random_below(2) ? PERF_RECORD_MISC_COMM_EXEC : 0);
    for (size_t j = 0; j < sizeof(bytes); j++)
      bytes[j] = (uint8_t)random_below(random_below(2) ? 4 : 256);
    memcpy(bytes, &header, sizeof(header));
    mapping_history_add(bytes, header.size);
  }
  for (uint32_t pid = 0; pid < 4; pid++) {
    struct mappings mappings;
    if (!mapping_history_read(pid * 0x1010101, &mappings))
      mappings_free(&mappings);
  }
  mapping_history_free();
}

int main(void) {
  CHECK_CASE(test_mapping);
  CHECK_CASE(test_exec);
  CHECK_CASE(test_fork);
  CHECK_CASE(test_all_at_one_time);
  CHECK_CASE(test_any_order);
  CHECK_CASE(test_a_number_is_given_again);
  CHECK_CASE(test_what_is_refused);
  CHECK_CASE(test_the_oldest_is_forgotten);
  CHECK_CASE(test_any_bytes);
  return check_result();
}
