// The build id of an ELF file: what its linker wrote to tell builds of it apart (--build-id).
#ifndef SHIM_USER_BUILD_ID_H
#define SHIM_USER_BUILD_ID_H

#include <stddef.h>
#include <stdint.h>

#include "shim/user/elf.h"

// Sets `id`, a place inside the file, and returns its size: 0 if the file has none.
size_t elf_build_id(const struct elf *elf, const uint8_t **id);

#endif
