// DWARF (https://dwarfstd.org), versions 2 to 5: which source line an address is of, and which functions the compiler has put into
// which. Only what that takes is read, from the mapped file, and nothing of it is trusted.
#ifndef SHIM_DEBUG_DWARF_H
#define SHIM_DEBUG_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/debug/bytes.h"
#include "shim/user/elf.h"

enum dwarf_section {
  DWARF_INFO,
  DWARF_ABBREV,
  DWARF_LINE,
  DWARF_STR,
  DWARF_LINE_STR,
  DWARF_STR_OFFSETS,
  DWARF_ADDR,
  DWARF_RANGES,
  DWARF_RNGLISTS,
  DWARF_SECTIONS,
};

// Of a compilation unit.
struct dwarf_unit {
  uint64_t offset;  // of its header, in DWARF_INFO
  uint64_t end;
  uint64_t first;   // of its first entry
  uint64_t abbreviations;
  uint64_t low;     // where the addresses of its lists of ranges count from
  uint64_t lines;   // in DWARF_LINE
  uint64_t string_offsets;
  uint64_t addresses;
  uint64_t range_lists;
  const char *folder;
  uint8_t version;
  uint8_t address_size;
  uint8_t offset_size;
  bool has_lines;
};

enum { DWARF_ABBREVIATIONS = 256 };

// Where an abbreviation was found.
struct dwarf_abbreviation {
  uint64_t table;
  uint64_t code;
  uint64_t place;
};

struct dwarf {
  struct bytes sections[DWARF_SECTIONS];
  struct dwarf_abbreviation *abbreviations;  // by the lowest bits of their codes
  struct dwarf_unit *units;
  uint32_t units_count;
};

// A place in the source: `folder` and `in_folder` may be "". NULL `file` if it is not known.
struct dwarf_line {
  const char *folder;     // of the compilation
  const char *in_folder;  // relative to it, or absolute
  const char *file;
  uint64_t line;
};

// A function at an address: one that was put into the next, or the one that is called.
struct dwarf_frame {
  const char *name;  // NULL if it is not known
  struct dwarf_line line;
};

enum { DWARF_FRAMES = 32 };

// Looks at a file's sections and units. Returns 0, -ENOENT if it has no debug information (or only compressed one), or -ENOMEM.
int dwarf_open(struct dwarf *dwarf, const struct elf *elf);
void dwarf_close(struct dwarf *dwarf);

// The functions at an address, innermost first. Returns how many; 0 if nothing is known.
uint32_t dwarf_find(const struct dwarf *dwarf, uint64_t address, struct dwarf_frame frames[DWARF_FRAMES]);

// The parts of this.

// A value of an attribute.
struct dwarf_value {
  enum { DWARF_NONE, DWARF_ADDRESS, DWARF_NUMBER, DWARF_TEXT, DWARF_REFERENCE, DWARF_OFFSET, DWARF_ADDRESS_INDEX } kind;
  uint8_t form;
  uint64_t number;  // a reference is an offset in DWARF_INFO
  const char *text;
};

// What matters of an entry.
struct dwarf_entry {
  uint64_t offset;
  uint32_t tag;  // 0 ends the children of an entry
  bool has_children;
  struct dwarf_value low, high, ranges, origin, name, linkage_name, sibling, call_file, call_line, lines, folder,
      string_offsets, addresses, range_lists;
};

// Reads the entry at `at`, and moves that behind it. Returns false at the end of the unit or if it is malformed.
bool dwarf_read_entry(const struct dwarf *dwarf, const struct dwarf_unit *unit, struct bytes *at, struct dwarf_entry *entry);
// Reads a value of the form DW_FORM_* `code`. `implicit` is what the abbreviation says for DW_FORM_implicit_const.
struct dwarf_value dwarf_read_value(const struct dwarf *dwarf, const struct dwarf_unit *unit, struct bytes *at, uint64_t code,
                                    int64_t implicit);
// The address that a value stands for.
bool dwarf_address(const struct dwarf *dwarf, const struct dwarf_unit *unit, const struct dwarf_value *value, uint64_t *address);
// Whether an entry has code at an address.
bool dwarf_contains(const struct dwarf *dwarf, const struct dwarf_unit *unit, const struct dwarf_entry *entry, uint64_t address);
// The line of an address; and the file of a number, which calls are in.
bool dwarf_find_line(const struct dwarf *dwarf, const struct dwarf_unit *unit, uint64_t address, struct dwarf_line *line);
bool dwarf_find_file(const struct dwarf *dwarf, const struct dwarf_unit *unit, uint64_t number, struct dwarf_line *line);

#endif
