// Source lines and inlined functions: of dwarf_sample.c, and of what comes of changing its debug information.
#include <stdlib.h>
#include <string.h>

#include "shim/debug/dwarf.h"
#include "shim/debug/source_lines.h"
#include "tests/shim/check.h"

enum { MUTATIONS = 3000 };

// In dwarf_sample.c.
enum { INNER_LINE = 5, CALL_LINE = 10 };

static bool ends_with(const char *text, const char *end) {
  size_t size = strlen(text), end_size = strlen(end);
  return size >= end_size && !strcmp(text + size - end_size, end);
}

static bool is_line(const struct dwarf_line *line, uint64_t wanted) {
  return line->file && line->line == wanted && ends_with(line->file, "dwarf_sample.c");
}

static const char *path;
static struct elf elf;
static uint64_t outer_address, outer_size;

static void inlined_functions_and_lines(void) {
  struct dwarf dwarf;
  bool has_inner = false, has_outer = false;
  CHECK(!dwarf_open(&dwarf, &elf));
  for (uint64_t i = 0; i < outer_size; i++) {
    struct dwarf_frame frames[DWARF_FRAMES];
    uint32_t count = dwarf_find(&dwarf, outer_address + i, frames);
    CHECK(count == 1 || count == 2);
    CHECK(count && frames[count - 1].name && !strcmp(frames[count - 1].name, "outer"));
    has_outer |= count == 1 && is_line(&frames[0].line, CALL_LINE);
    has_inner |= count == 2 && !strcmp(frames[0].name, "inner") && is_line(&frames[0].line, INNER_LINE) &&
                 is_line(&frames[1].line, CALL_LINE);
  }
  CHECK(has_inner);
  CHECK(has_outer);
  dwarf_close(&dwarf);
}

// What was found is kept, but not for longer than the file.
static void addresses_that_come_again(void) {
  uint64_t start;
  CHECK(elf_file_offset(&elf, outer_address, &start));
  for (int opened = 0; opened < 2; opened++) {
    struct user_symbols symbols;
    CHECK(!user_symbols_open(path, "", &symbols));
    for (uint64_t i = 0; i < 2 * outer_size; i++) {
      const struct dwarf_frame *frames;
      uint32_t count = shim_source_lines(&symbols, start + i % outer_size, &frames);
      CHECK(count && frames[count - 1].name && !strcmp(frames[count - 1].name, "outer"));
    }
    user_symbols_close(&symbols);
  }
}

static void unknown_addresses(void) {
  struct dwarf dwarf;
  struct dwarf_frame frames[DWARF_FRAMES];
  CHECK(!dwarf_open(&dwarf, &elf));
  CHECK(!dwarf_find(&dwarf, 0, frames));
  CHECK(!dwarf_find(&dwarf, UINT64_MAX, frames));
  dwarf_close(&dwarf);
}

// Where the unit of outer() is: a change there reaches the entries and lines that are looked for.
static struct dwarf_unit own_unit(const struct dwarf *dwarf) {
  for (uint32_t i = 0; i < dwarf->units_count; i++) {
    struct dwarf_entry root;
    struct bytes at = bytes_from(&dwarf->sections[DWARF_INFO], dwarf->units[i].first);
    if (dwarf_read_entry(dwarf, &dwarf->units[i], &at, &root) && dwarf_contains(dwarf, &dwarf->units[i], &root, outer_address))
      return dwarf->units[i];
  }
  return (struct dwarf_unit){0};
}

static void mutations_are_harmless(void) {
  struct dwarf dwarf;
  uint32_t found = 0;
  CHECK(!dwarf_open(&dwarf, &elf));
  struct dwarf_unit unit = own_unit(&dwarf);
  CHECK(unit.end);
  struct bytes sections[DWARF_SECTIONS];
  memcpy(sections, dwarf.sections, sizeof(sections));
  for (int n = 0; n < MUTATIONS; n++) {
    // One section is a copy of its own size, so that a byte read outside of it is noticed; a few of its bytes are others.
    enum dwarf_section which = random_below(DWARF_SECTIONS);
    const struct bytes *original = &sections[which];
    size_t size = (size_t)(original->end - original->start);
    uint8_t *copy = size ? malloc(size) : NULL;
    if (!copy)
      continue;
    memcpy(copy, original->start, size);
    uint64_t start = which == DWARF_INFO ? unit.offset : which == DWARF_ABBREV ? unit.abbreviations : which == DWARF_LINE ? unit.lines : 0;
    for (uint32_t rounds = 1 + random_below(8); rounds; rounds--) {
      uint64_t at = start + random_below(which == DWARF_INFO ? (uint32_t)(unit.end - unit.offset) : 400);
      if (at < size)
        copy[at] = (uint8_t)(random_below(2) ? random_below(256) : copy[at] ^ 1u << random_below(8));
    }
    dwarf.sections[which] = (struct bytes){copy, copy, copy + size, false};
    memset(dwarf.abbreviations, 0, DWARF_ABBREVIATIONS * sizeof(*dwarf.abbreviations));
    struct dwarf_frame frames[DWARF_FRAMES];
    uint32_t count = dwarf_find(&dwarf, outer_address + random_below((uint32_t)outer_size), frames);
    CHECK(count <= DWARF_FRAMES);
    for (uint32_t i = 0; i < count; i++)  // touches the texts
      found += (uint32_t)((frames[i].name ? strlen(frames[i].name) : 0) + (frames[i].line.file ? strlen(frames[i].line.file) : 0));
    free(copy);
    dwarf.sections[which] = *original;
  }
  CHECK(found);
  dwarf_close(&dwarf);
}

// Looks for a file in a line table of version 5 whose addresses have `address_size` bytes, and whose tables of folders and files are given.
static bool finds_file(uint8_t address_size, const uint8_t *tables, size_t size) {
  enum { BEFORE_LENGTH = 4, BEFORE_HEADER = 12, BEFORE_TABLES = 18 };
  uint8_t header[BEFORE_TABLES] = {0, 0, 0, 0, 5, 0, address_size, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1};
  uint8_t *copy = malloc(BEFORE_TABLES + size);
  if (!copy)
    abort();
  header[0] = (uint8_t)(BEFORE_TABLES - BEFORE_LENGTH + size);
  header[8] = (uint8_t)(BEFORE_TABLES - BEFORE_HEADER + size);
  memcpy(copy, header, sizeof(header));
  memcpy(copy + sizeof(header), tables, size);
  const struct dwarf dwarf = {.sections[DWARF_LINE] = {copy, copy, copy + sizeof(header) + size, false}};
  const struct dwarf_unit unit = {.has_lines = true, .address_size = 8, .offset_size = 4, .version = 5, .folder = ""};
  struct dwarf_line line = {0};
  bool found = dwarf_find_file(&dwarf, &unit, 0, &line);
  free(copy);
  return found;
}

static void malformed_line_tables(void) {
  enum { PATH = 1, TEXT = 8, ADDRESS = 1 };
  static const uint8_t good[] = {1, PATH, TEXT, 1, '/', 0, 1, PATH, TEXT, 1, 'f', 0};
  // 199 bytes are an address.
  static const uint8_t large_address[210] = {1, PATH, ADDRESS, 1};
  // Entries without data, as many as a number can say.
  static const uint8_t endless[] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
  CHECK(finds_file(8, good, sizeof(good)));
  CHECK(!finds_file(199, large_address, sizeof(large_address)));
  CHECK(!finds_file(8, endless, sizeof(endless)));
}

int main(int argc, char **argv) {
  path = argc == 2 ? argv[1] : "";
  CHECK(!elf_open(path, &elf));
  CHECK(elf_find_symbol(&elf, "outer", &outer_address, &outer_size));
  CHECK_CASE(inlined_functions_and_lines);
  CHECK_CASE(addresses_that_come_again);
  CHECK_CASE(unknown_addresses);
  CHECK_CASE(mutations_are_harmless);
  CHECK_CASE(malformed_line_tables);
  elf_close(&elf);
  return check_result();
}
