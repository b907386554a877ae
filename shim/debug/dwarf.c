#include "shim/debug/dwarf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_UNITS = 1 << 18, MAX_DEPTH = 256, MAX_ORIGINS = 8 };
enum { DW_TAG_COMPILE_UNIT = 0x11, DW_TAG_INLINED_SUBROUTINE = 0x1d, DW_TAG_SUBPROGRAM = 0x2e };
enum { DW_UT_COMPILE = 1, DW_UT_SKELETON = 4 };

static int take_section(void *context, const char *name, const struct elf_section *section) {
  static const char *const names[DWARF_SECTIONS] = {
      [DWARF_INFO] = ".debug_info",         [DWARF_ABBREV] = ".debug_abbrev",   [DWARF_LINE] = ".debug_line",
      [DWARF_STR] = ".debug_str",           [DWARF_LINE_STR] = ".debug_line_str", [DWARF_STR_OFFSETS] = ".debug_str_offsets",
      [DWARF_ADDR] = ".debug_addr",         [DWARF_RANGES] = ".debug_ranges",   [DWARF_RNGLISTS] = ".debug_rnglists",
  };
  struct dwarf *dwarf = context;
  for (int i = 0; i < DWARF_SECTIONS; i++)
    if (!strcmp(names[i], name) && section->data && !(section->flags & SHF_COMPRESSED))
      dwarf->sections[i] = (struct bytes){section->data, section->data, section->data + section->size, false};
  return 0;
}

// Where the tables of a unit's indices begin: what the root entry says of DW_AT_str_offsets_base and the like is right behind the
// header of the first table, unless files were linked of parts.
static void set_default_bases(struct dwarf_unit *unit) {
  unit->string_offsets = unit->addresses = 8;
  unit->range_lists = 12;
  if (unit->offset_size == 8) {
    unit->string_offsets = unit->addresses = 16;
    unit->range_lists = 20;
  }
}

// Reads a unit's header; *at is moved behind the unit. Returns whether it is one with code.
static bool read_header(struct bytes *at, struct dwarf_unit *unit) {
  *unit = (struct dwarf_unit){.offset = (uint64_t)(at->at - at->start), .offset_size = 4, .folder = ""};
  uint64_t size = bytes_number(at, 4);
  if (size == UINT32_MAX) {
    size = bytes_number(at, 8);
    unit->offset_size = 8;
  }
  struct bytes header = *at;
  bytes_skip(at, size);
  if (at->is_bad)
    return false;
  unit->end = (uint64_t)(at->at - at->start);
  unit->version = (uint8_t)bytes_number(&header, 2);
  uint64_t type = unit->version == 5 ? bytes_number(&header, 1) : DW_UT_COMPILE;
  if (unit->version == 5)
    unit->address_size = (uint8_t)bytes_number(&header, 1);
  unit->abbreviations = bytes_number(&header, unit->offset_size);
  if (unit->version < 5)
    unit->address_size = (uint8_t)bytes_number(&header, 1);
  unit->first = (uint64_t)(header.at - header.start);
  set_default_bases(unit);
  return !header.is_bad && unit->version >= 2 && unit->version <= 5 && type == DW_UT_COMPILE &&
         (unit->address_size == 8 || unit->address_size == 4);
}

static bool read_root(const struct dwarf *dwarf, struct dwarf_unit *unit, struct dwarf_entry *root) {
  struct bytes at = bytes_from(&dwarf->sections[DWARF_INFO], unit->first);
  if (!dwarf_read_entry(dwarf, unit, &at, root) || root->tag != DW_TAG_COMPILE_UNIT)
    return false;
  if (root->string_offsets.kind != DWARF_NONE)
    unit->string_offsets = root->string_offsets.number;
  if (root->addresses.kind != DWARF_NONE)
    unit->addresses = root->addresses.number;
  if (root->range_lists.kind != DWARF_NONE)
    unit->range_lists = root->range_lists.number;
  at = bytes_from(&dwarf->sections[DWARF_INFO], unit->first);  // what uses these may have come before them
  dwarf_read_entry(dwarf, unit, &at, root);
  unit->has_lines = root->lines.kind != DWARF_NONE;
  unit->lines = root->lines.number;
  if (root->folder.text)
    unit->folder = root->folder.text;
  dwarf_address(dwarf, unit, &root->low, &unit->low);
  return true;
}

static int read_units(struct dwarf *dwarf) {
  uint32_t capacity = 0;
  struct bytes at = dwarf->sections[DWARF_INFO];
  while (at.at < at.end && dwarf->units_count < MAX_UNITS) {
    struct dwarf_unit unit;
    struct dwarf_entry root;
    if (!read_header(&at, &unit) || !read_root(dwarf, &unit, &root))
      continue;
    if (dwarf->units_count == capacity) {
      capacity = 2 * capacity + 16;
      struct dwarf_unit *grown = realloc(dwarf->units, capacity * sizeof(*grown));
      if (!grown)
        return -ENOMEM;
      dwarf->units = grown;
    }
    dwarf->units[dwarf->units_count++] = unit;
  }
  return 0;
}

int dwarf_open(struct dwarf *dwarf, const struct elf *elf) {
  *dwarf = (struct dwarf){0};
  elf_each_section(elf, take_section, dwarf);
  if (!dwarf->sections[DWARF_INFO].start || !dwarf->sections[DWARF_ABBREV].start)
    return -ENOENT;
  dwarf->abbreviations = calloc(DWARF_ABBREVIATIONS, sizeof(*dwarf->abbreviations));
  int err = dwarf->abbreviations ? read_units(dwarf) : -ENOMEM;
  if (err)
    dwarf_close(dwarf);
  return err;
}

void dwarf_close(struct dwarf *dwarf) {
  free(dwarf->abbreviations);
  free(dwarf->units);
  *dwarf = (struct dwarf){0};
}

static const struct dwarf_unit *unit_at(const struct dwarf *dwarf, uint64_t offset) {
  uint32_t begin = 0, end = dwarf->units_count;  // units before `begin` begin at or before the offset
  while (begin < end) {
    uint32_t middle = begin + (end - begin) / 2;
    if (dwarf->units[middle].offset <= offset)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin && offset < dwarf->units[begin - 1].end ? &dwarf->units[begin - 1] : NULL;
}

// The name of a function: its own, or that of what it is an instance or the definition of.
static const char *name_of(const struct dwarf *dwarf, const struct dwarf_entry *function) {
  struct dwarf_entry entry = *function;
  for (int i = 0; i < MAX_ORIGINS; i++) {
    if (entry.linkage_name.text)
      return entry.linkage_name.text;
    if (entry.origin.kind != DWARF_REFERENCE)
      break;
    const char *name = entry.name.text;
    const struct dwarf_unit *unit = unit_at(dwarf, entry.origin.number);
    struct bytes at = bytes_from(&dwarf->sections[DWARF_INFO], entry.origin.number);
    if (!unit || !dwarf_read_entry(dwarf, unit, &at, &entry))
      return name;
    if (!entry.name.text)
      entry.name.text = name;
  }
  return entry.name.text;
}

// Moves *at behind the children of an entry.
static void skip_children(const struct dwarf *dwarf, const struct dwarf_unit *unit, struct bytes *at, const struct dwarf_entry *parent) {
  if (!parent->has_children)
    return;
  if (parent->sibling.kind == DWARF_REFERENCE && parent->sibling.number > parent->offset && parent->sibling.number <= unit->end) {
    *at = bytes_from(&dwarf->sections[DWARF_INFO], parent->sibling.number);
    return;
  }
  struct dwarf_entry entry;
  for (unsigned depth = 1; depth && dwarf_read_entry(dwarf, unit, at, &entry);)
    depth = !entry.tag ? depth - 1 : depth + entry.has_children;
}

// Follows the address through the entries of its unit. Returns how many functions there are, the innermost last.
static uint32_t find_functions(const struct dwarf *dwarf, const struct dwarf_unit *unit, uint64_t address,
                               struct dwarf_entry functions[DWARF_FRAMES]) {
  uint32_t count = 0;
  unsigned depth = 0, depth_of_last = 0;  // how many entries are around
  struct bytes at = bytes_from(&dwarf->sections[DWARF_INFO], unit->first);
  struct dwarf_entry entry;
  while (dwarf_read_entry(dwarf, unit, &at, &entry)) {
    if (!entry.tag) {
      depth -= depth > 0;
      if (!depth || depth == depth_of_last)  // behind all, or behind the innermost function
        break;
      continue;
    }
    bool is_function = entry.tag == DW_TAG_SUBPROGRAM || entry.tag == DW_TAG_INLINED_SUBROUTINE;
    if (is_function && (count == DWARF_FRAMES || !dwarf_contains(dwarf, unit, &entry, address))) {
      skip_children(dwarf, unit, &at, &entry);
      continue;
    }
    if (is_function) {
      functions[count++] = entry;
      depth_of_last = depth;
      if (!entry.has_children)
        break;
    }
    depth += entry.has_children;
    if (depth > MAX_DEPTH)
      break;
  }
  return count;
}

uint32_t dwarf_find(const struct dwarf *dwarf, uint64_t address, struct dwarf_frame frames[DWARF_FRAMES]) {
  for (uint32_t i = 0; i < dwarf->units_count; i++) {
    struct dwarf_unit unit = dwarf->units[i];
    struct dwarf_entry root, functions[DWARF_FRAMES];
    if (!read_root(dwarf, &unit, &root) || !dwarf_contains(dwarf, &unit, &root, address))
      continue;
    uint32_t count = find_functions(dwarf, &unit, address, functions);
    frames[0] = (struct dwarf_frame){0};
    bool has_line = dwarf_find_line(dwarf, &unit, address, &frames[0].line);
    for (uint32_t n = 0; n < count; n++) {
      const struct dwarf_entry *function = &functions[count - 1 - n];
      frames[n].name = name_of(dwarf, function);
      if (n + 1 == count)
        break;
      // What it was put into is at the line that calls it.
      frames[n + 1] = (struct dwarf_frame){.line.line = function->call_line.number};
      dwarf_find_file(dwarf, &unit, function->call_file.number, &frames[n + 1].line);
    }
    return count ? count : has_line;
  }
  return 0;
}
