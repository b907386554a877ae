#include "shim/debug/source_lines.h"

#include <stdlib.h>

enum { KNOWN_ADDRESSES = 256 };

// What was found last, by the lowest bits of the address: stacks have most frames in common, and a unit is searched from its beginning.
static struct known {
  const struct dwarf *dwarf;
  uint64_t address;
  uint32_t count;
  struct dwarf_frame frames[DWARF_FRAMES];
} known_addresses[KNOWN_ADDRESSES];

// What has no debug information is kept too, so that it is looked for once.
static void open_debug_info(struct user_symbols *symbols) {
  symbols->debug_info = calloc(1, sizeof(*symbols->debug_info));
  if (symbols->debug_info && dwarf_open(symbols->debug_info, &symbols->elf) && symbols->debug.data)
    dwarf_open(symbols->debug_info, &symbols->debug);
}

uint32_t shim_source_lines(struct user_symbols *symbols, uint64_t file_offset, const struct dwarf_frame **frames) {
  uint64_t address;
  if (!symbols->debug_info)
    open_debug_info(symbols);
  if (!symbols->debug_info || !user_symbols_address(symbols, file_offset, &address))
    return 0;
  struct known *known = &known_addresses[address % KNOWN_ADDRESSES];
  if (known->dwarf != symbols->debug_info || known->address != address) {
    known->dwarf = symbols->debug_info;
    known->address = address;
    known->count = dwarf_find(known->dwarf, address, known->frames);
  }
  *frames = known->frames;
  return known->count;
}

void source_lines_close(struct dwarf *dwarf) {
  for (size_t i = 0; i < KNOWN_ADDRESSES; i++)
    if (known_addresses[i].dwarf == dwarf)
      known_addresses[i].dwarf = NULL;
  dwarf_close(dwarf);
  free(dwarf);
}
