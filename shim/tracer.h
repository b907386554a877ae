// The one object that lives as long as the tracer runs. Everything else borrows from it.
#ifndef SHIM_TRACER_H
#define SHIM_TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/maps.h"
#include "shim/options.h"
#include "shim/output/writer.h"
#include "shim/resources.h"

struct tracer {
  const struct pb_required_resources *resources;
  struct options options;
  struct map *maps;           // one for every resources->maps entry, in their order
  uint64_t start_time_ns;     // CLOCK_BOOTTIME when the tracer started
  uint32_t possible_cpus;
  struct writer out;          // what the script prints
  bool exiting;               // exit() was called: records that are in the ring buffer already are still printed
  int exit_code;
};

#endif
