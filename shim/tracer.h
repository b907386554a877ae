// The one object that lives as long as the tracer runs. Everything else borrows from it.
#ifndef SHIM_TRACER_H
#define SHIM_TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/command.h"
#include "shim/maps.h"
#include "shim/options.h"
#include "shim/output/writer.h"
#include "shim/resources.h"

struct allocation;
struct constant_value;
struct parameter_value;
struct program;
struct target;

struct tracer {
  const struct pb_required_resources *resources;
  struct options options;
  uint64_t start_time_ns;              // CLOCK_BOOTTIME when the tracer started
  struct parameter_value *parameters;  // these four have one entry for every entry of their table in resources
  struct map *maps;
  struct constant_value *constants;
  struct program *programs;
  struct target *targets;              // where the probes are on this host (shim/attach/)
  uint32_t targets_count;
  struct allocation *targets_memory;   // see targets_allocate()
  int btf_fd;                          // the local BTF in the kernel, or -1
  bool kernel_applies_core;            // BPF_PROG_LOAD takes CO-RE relocations (5.17 and newer)
  struct writer out;                   // what the script prints
  struct command command;              // of -c
  bool interrupted;                    // by a signal, from which on until END no commands are run
  bool exiting;                        // exit() was called: what the programs sent after it is dropped
  int exit_code;
  uint32_t errors;                     // that the script's probes have reported: errorf(), failed helpers
};

#endif
