#include "shim/debug/source_lines.h"

#include <stdlib.h>

// What has no debug information is kept too, so that it is looked for once.
static void open_debug_info(struct user_symbols *symbols) {
  symbols->debug_info = calloc(1, sizeof(*symbols->debug_info));
  if (symbols->debug_info && dwarf_open(symbols->debug_info, &symbols->elf) && symbols->debug.data)
    dwarf_open(symbols->debug_info, &symbols->debug);
}

uint32_t shim_source_lines(struct user_symbols *symbols, uint64_t file_offset, struct dwarf_frame frames[DWARF_FRAMES]) {
  uint64_t address;
  if (!symbols->debug_info)
    open_debug_info(symbols);
  if (!symbols->debug_info || !user_symbols_address(symbols, file_offset, &address))
    return 0;
  return dwarf_find(symbols->debug_info, address, frames);
}

void source_lines_close(struct dwarf *dwarf) {
  dwarf_close(dwarf);
  free(dwarf);
}
