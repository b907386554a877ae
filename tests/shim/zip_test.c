// Members of ZIP archives: one that is made here, and what comes of changing it.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/user/zip.h"
#include "tests/shim/check.h"

enum { MEMBERS = 3, MUTATIONS = 20000, MAX_SIZE = 1 << 20, DEFLATED = 8, LOCAL_SIZE = 30, ENTRY_SIZE = 46, END_SIZE = 22 };

static uint8_t archive[MAX_SIZE];
static size_t size, directory, end;
static uint64_t start;

static void put(uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++)
    archive[size++] = (uint8_t)(value >> 8 * i);
}

static void put_text(const char *text) {
  while (*text)
    put((uint8_t)*text++, 1);
}

static struct member {
  const char *name;
  uint16_t method;
  bool is_aligned;
  uint32_t header;
  uint64_t data;
} members[MEMBERS] = {
    {.name = "notes.txt"},
    {.name = "lib/squeezed.so", .method = DEFLATED, .is_aligned = true},
    {.name = "lib/stored.so", .is_aligned = true},
};

static const char CONTENT[] = "what is in it";

static void put_member(struct member *member) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  member->header = (uint32_t)size;
  size_t begin = size + LOCAL_SIZE + strlen(member->name);
  size_t padding = member->is_aligned ? (page - begin % page) % page : 0;
  put(0x04034b50, 4);
  put(0, 4);
  put(member->method, 2);
  put(0, 8);
  put(sizeof(CONTENT), 4);
  put(sizeof(CONTENT), 4);
  put(strlen(member->name), 2);
  put(padding, 2);
  put_text(member->name);
  size += padding;
  member->data = size;
  memcpy(archive + size, CONTENT, sizeof(CONTENT));
  size += sizeof(CONTENT);
}

static void put_entry(const struct member *member) {
  put(0x02014b50, 4);
  put(0, 6);
  put(member->method, 2);
  put(0, 8);
  put(sizeof(CONTENT), 4);
  put(sizeof(CONTENT), 4);
  put(strlen(member->name), 2);
  put(3, 2);  // extra fields
  put(4, 2);  // comment
  put(0, 8);
  put(member->header, 4);
  put_text(member->name);
  put_text("xxx");
  put_text("text");
}

static void make(const char *comment) {
  memset(archive, 0, sizeof(archive));
  size = 0;
  for (int i = 0; i < MEMBERS; i++)
    put_member(&members[i]);
  directory = size;
  for (int i = 0; i < MEMBERS; i++)
    put_entry(&members[i]);
  end = size;
  put(0x06054b50, 4);
  put(0, 4);
  put(MEMBERS, 2);
  put(MEMBERS, 2);
  put(end - directory, 4);
  put(directory, 4);
  put(strlen(comment), 2);
  put_text(comment);
}

// A copy of the right size, so that the sanitizer sees every read behind it.
static const char *find(const char *name) {
  uint8_t *exact = malloc(size ? size : 1);
  memcpy(exact, archive, size);
  const char *problem = zip_find(exact, size, name, &start);
  free(exact);
  return problem;
}

static bool fails(const char *name, const char *part) {
  const char *problem = find(name);
  return problem && strstr(problem, part);
}

static void stored_members(void) {
  make("");
  CHECK(!find("lib/stored.so"));
  CHECK(start == members[2].data);
  make("a comment PK\5\6 with a signature in it");
  CHECK(!find("lib/stored.so"));
}

static void others(void) {
  make("");
  CHECK(fails("lib/squeezed.so", "compressed"));
  CHECK(fails("notes.txt", "beginning of a page"));
  CHECK(fails("lib/stored.s", "not in the archive"));
  CHECK(fails("lib/stored.so2", "not in the archive"));
  CHECK(fails("", "not in the archive"));
}

static void archives_of_64_bits(void) {
  make("");
  memset(archive + end + 10, 0xff, 2);
  CHECK(fails("lib/stored.so", "64-bit"));
  make("");
  memset(archive + end + 16, 0xff, 4);
  CHECK(fails("lib/stored.so", "64-bit"));
  make("");
  memset(archive + end - ENTRY_SIZE - strlen("lib/stored.so") - 7 + 42, 0xff, 4);
  CHECK(fails("lib/stored.so", "64-bit"));
}

static void damaged_archives(void) {
  make("");
  while (size-- > 0)
    CHECK(fails("lib/stored.so", "damaged"));
  make("");
  archive[end + 12 + 4] += 1;  // where the directory is
  CHECK(fails("lib/stored.so", "damaged"));
  make("");
  archive[members[2].header] = 0;
  CHECK(fails("lib/stored.so", "damaged"));
}

static void changed_archives(void) {
  for (int i = 0; i < MUTATIONS; i++) {
    if (i % 100 == 0)
      make("comment");
    // Around what is read: the directory and its end, and the members' headers.
    size_t at = random_below(4) ? directory + random_below((uint32_t)(size - directory))
                                : members[random_below(MEMBERS)].header + random_below(LOCAL_SIZE);
    archive[at] = random_below(2) ? (uint8_t)random_below(256) : 0xff;
    if (!find("lib/stored.so"))
      CHECK(start <= size);
  }
}

int main(void) {
  CHECK_CASE(stored_members);
  CHECK_CASE(others);
  CHECK_CASE(archives_of_64_bits);
  CHECK_CASE(damaged_archives);
  CHECK_CASE(changed_archives);
  return check_result();
}
