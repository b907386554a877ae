// The tracer's command line.
#ifndef SHIM_OPTIONS_H
#define SHIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/output/writer.h"

struct options {
  bool quiet;                    // -q
  bool verbose;                  // -v
  bool no_warnings;              // --no-warnings
  const char *output_file;       // -o, NULL for stdout
  enum writer_mode buffer_mode;  // -B
};

#endif
