// Settings of the script that the environment may change when the tracer starts: those that are not part of its programs.
#ifndef SHIM_SETTINGS_H
#define SHIM_SETTINGS_H

#include "shim/resources.h"

// Reads BPFTRACE_PRINT_MAPS_ON_EXIT and its kin into the resources. Reports a value that cannot be. Returns 0 or a negative errno.
int settings_read_environment(struct pb_required_resources *resources);

#endif
