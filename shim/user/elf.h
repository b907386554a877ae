// Reads the symbol tables of a 64-bit ELF file of this host: functions and where they are in the file. The ELF file may be a part of
// another one (an archive): then offsets in the file are those in the whole.
#ifndef SHIM_USER_ELF_H
#define SHIM_USER_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf {
  const uint8_t *data;  // the file, mapped from `start` on
  size_t size;
  uint64_t start;  // where the ELF file begins in it
};

struct elf_section {
  uint32_t type;
  uint64_t flags;
  uint32_t link;
  uint64_t address;
  const uint8_t *data;  // inside the file
  uint64_t size;
};

struct elf_function {
  const char *name;
  uint64_t address;  // as the file's program headers count
  uint64_t size;     // 0 if unknown
  bool is_local;     // seen inside its source file only
};

// Returns 0 or a negative errno: -ENOEXEC if it is no such file. Release with elf_close().
int elf_open(const char *path, struct elf *elf);
// The same for what begins at `start`, a multiple of the page's size.
int elf_open_at(const char *path, uint64_t start, struct elf *elf);
// The one that the kernel has mapped into this process, which is that of all.
int elf_open_vdso(struct elf *elf);
void elf_close(struct elf *elf);

// Calls `visit` for every function that the file defines, those of .symtab before those of .dynsym (which may repeat them),
// until it returns something else than 0, and returns that; else 0. Data that is out of bounds is left out.
typedef int elf_function_visitor(void *context, const struct elf_function *function);
int elf_each_function(const struct elf *elf, elf_function_visitor *visit, void *context);

// Finds the function or variable of that name. Returns whether the file defines one; its size is 0 if unknown.
bool elf_find_symbol(const struct elf *elf, const char *name, uint64_t *address, uint64_t *size);

// Calls `visit` for every section, with its name, in the same way.
typedef int elf_section_visitor(void *context, const char *name, const struct elf_section *section);
int elf_each_section(const struct elf *elf, elf_section_visitor *visit, void *context);

// Whether it is an executable that is always loaded at the addresses that its headers give.
bool elf_is_fixed(const struct elf *elf);

// Where the byte at an address is in the file. Returns whether it is there.
bool elf_file_offset(const struct elf *elf, uint64_t address, uint64_t *offset);
// The opposite.
bool elf_address(const struct elf *elf, uint64_t offset, uint64_t *address);

// The address of a page of the file that is mapped to be executed: it may begin before the bytes of its segment do.
bool elf_code_address(const struct elf *elf, uint64_t offset, uint64_t *address);

#endif
