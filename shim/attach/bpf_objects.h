// BPF objects that are in the kernel already: programs, and the BTF of modules and programs. They have ids.
#ifndef SHIM_ATTACH_BPF_OBJECTS_H
#define SHIM_ATTACH_BPF_OBJECTS_H

#include <stdint.h>

#include "shim/kernel.h"

// Opens an object by its id, with BPF_BTF_GET_FD_BY_ID or BPF_PROG_GET_FD_BY_ID. Returns the fd or a negative errno.
int bpf_objects_open(enum bpf_command command, uint32_t id);

// The id of a loaded module's BTF. Returns 0 or a negative errno, -ENOENT if there is none.
int bpf_objects_find_btf(const char *module, uint32_t *id);

// Called with each function of a program: the program's id, the function's in the program's BTF, and its name. Anything but 0 ends
// the search.
typedef int bpf_function_visitor(void *context, uint32_t program, uint32_t btf_id, const char *function);

// Visits the main functions and subprograms of all programs that have BTF. Returns what ended the search, or a negative errno.
int bpf_objects_each_function(bpf_function_visitor *visit, void *context);

#endif
