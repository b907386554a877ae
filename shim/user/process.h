// Names of addresses in processes: from the ELF files that they have mapped, and from the maps that JIT compilers write.
//
// Files are read when the first address in them is to be named, and kept; so are the mappings of a process, for when it has ended.
#ifndef SHIM_USER_PROCESS_H
#define SHIM_USER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct user_place {
  const char *name;    // of the function, NULL if it is not known
  uint64_t offset;     // behind the function's beginning
  const char *module;  // path of the file
};

// What is at an address of a process. The texts stay until the next call.
struct user_place user_place_find(uint32_t pid, uint64_t address);

// Forgets what is known of processes (files stay), so that it is read again.
void user_places_forget(void);

#endif
