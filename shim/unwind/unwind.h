// dw_ustack: what programs need to know of processes to walk their stacks by call frame information. The maps of the roles UNWIND_*
// (required_resources.proto) have it.
#ifndef SHIM_UNWIND_UNWIND_H
#define SHIM_UNWIND_UNWIND_H

#include <stdint.h>

struct tracer;

// Fills the maps for the processes that the options name. Reports what is wrong: that there is none is an error, what is missing of a
// process is not. Returns 0 or a negative errno. The child of -c is not what it will be yet: shim_unwind_run_to_entry() adds it.
int shim_unwind_open(struct tracer *tracer);

// Reads what a process has mapped now, and the files that are new. Returns 0 or a negative errno.
int unwind_read_process(struct tracer *tracer, uint32_t pid);

// In the child of -c, before it executes the command: has the kernel stop it then. Returns 0 or a negative errno.
int shim_unwind_stop_at_exec(void);
// In the tracer, once it does: lets the child go on until its libraries are mapped, adds it, and lets it go. Reports what is wrong,
// which ends neither child nor tracer.
void shim_unwind_run_to_entry(struct tracer *tracer);

#endif
