// Names of the functions in ELF files, by address.
#ifndef SHIM_USER_SYMBOLS_H
#define SHIM_USER_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/user/elf.h"

struct dwarf;

// The functions of one file, in the order of their addresses. Names point into the mapped files.
struct user_symbols {
  struct elf elf;
  struct elf debug;  // of a stripped file: its separate debug file, if there is one
  struct user_symbol *list;
  uint32_t count;
  bool lacks_local;  // functions that the file does not export are only in its .gnu_debugdata, which is compressed
  struct dwarf *debug_info;  // for shim/debug/source_lines.c, NULL if it was not looked for
};

struct user_symbol {
  uint64_t address;
  uint64_t size;
  const char *name;
  bool is_local;
};

// Reads a file's symbols, and those of its debug file under `root` (such as "/proc/5/root"). Returns 0 or a negative errno.
int user_symbols_open(const char *path, const char *root, struct user_symbols *symbols);
// The vDSO that the kernel has mapped into this process, which is that of all. Returns 0 or a negative errno.
int user_symbols_open_vdso(struct user_symbols *symbols);
void user_symbols_close(struct user_symbols *symbols);

// The address of a byte of the file, as the file's program headers count. Returns whether it has one.
bool user_symbols_address(const struct user_symbols *symbols, uint64_t file_offset, uint64_t *address);

// The function that the byte at an offset of the file belongs to, and where in it that is; NULL if there is none.
const char *user_symbols_find(const struct user_symbols *symbols, uint64_t file_offset, uint64_t *offset);

#endif
