// The tracer's command line.
#ifndef SHIM_OPTIONS_H
#define SHIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/output/writer.h"
#include "shim/resources.h"

enum tracer_mode {
  MODE_TRACE,
  MODE_TEST,   // run the script's test probes
  MODE_BENCH,  // run its bench probes
};

enum { MAX_DWARF_PIDS = 32 };

struct options {
  bool quiet;                    // -q
  bool verbose;                  // -v
  bool debug_verifier;           // -d verifier
  bool no_warnings;              // --no-warnings
  bool dry_run;                  // --dry-run: nothing of the script is run
  int pid;                       // -p, 0 for none
  int dwarf_pids[MAX_DWARF_PIDS]; // --dwarf-pid
  uint32_t dwarf_pids_count;
  const char *command;           // -c, NULL for none
  enum tracer_mode mode;         // --mode, --test, --bench
  const char *probe_filter;      // --probe-filter, NULL for none
  const char *output_file;       // -o, NULL for stdout
  enum writer_mode buffer_mode;  // -B
  uint32_t positional_count;     // `$#`, set by parameters_parse()
};

enum options_result {
  OPTIONS_RUN,    // go on
  OPTIONS_DONE,   // -h or -V has been answered
  OPTIONS_WRONG,  // reported
};

// Parses the options among the arguments and takes them away: what stays behind argv[0] are the parameters of the script. Options end
// at `--`, which is taken away too.
enum options_result options_parse(struct options *options, const struct pb_required_resources *resources, int *argc, char **argv);

#endif
