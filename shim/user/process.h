// Names of addresses in processes: from the ELF files that they have mapped, and from the maps that JIT compilers write.
//
// Files are read when the first address in them is to be named, and kept; so are the mappings of a process, for when it has ended.
#ifndef SHIM_USER_PROCESS_H
#define SHIM_USER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct user_symbols;

struct user_place {
  const char *name;    // of the function, NULL if it is not known
  uint64_t offset;     // behind the function's beginning
  struct user_symbols *symbols;  // of the file, NULL if it has none
  uint64_t file_offset;
  const char *module;  // path of the file; NULL if the address has no name and is in no ELF file
};

struct user_origin {
  uint32_t pid;
  const char *program;  // path of a binary that was traced when the address was taken, or NULL
};

// What is at an address of a process. The texts stay until the next call. Of a process that has ended unknown, what is in
// `program` is found if that is always at the same addresses (it is no position-independent executable).
struct user_place user_place_find(const struct user_origin *origin, uint64_t address);

// Whether a known process runs another program now than when it was looked at: then that is forgotten.
void user_process_refresh(uint32_t pid);

// Forgets what is known of processes (files stay), so that it is read again.
void user_places_forget(void);

#endif
