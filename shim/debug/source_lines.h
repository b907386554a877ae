// Source lines and inlined functions of addresses in processes, from the debug information of the files.
#ifndef SHIM_DEBUG_SOURCE_LINES_H
#define SHIM_DEBUG_SOURCE_LINES_H

#include <stdint.h>

#include "shim/debug/dwarf.h"
#include "shim/user/symbols.h"

// What dwarf_find() says of a byte of a file; *frames stay until the next call. Debug information is looked for once: in the file, else in
// its separate debug file.
uint32_t shim_source_lines(struct user_symbols *symbols, uint64_t file_offset, const struct dwarf_frame **frames);
void source_lines_close(struct dwarf *dwarf);

#endif
