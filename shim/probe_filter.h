// --probe-filter: a feature (see features.h) of tracers that were compiled with that option, or that have tests or benchmarks. It
// costs the regular expressions of the C library.
#ifndef SHIM_PROBE_FILTER_H
#define SHIM_PROBE_FILTER_H

#include "shim/tracer.h"

// Forgets the targets whose names the POSIX extended regular expression matches nowhere; BEGIN, END and self:signal stay. Returns 0,
// or -EINVAL after reporting.
int shim_filter_targets(struct tracer *tracer, const char *filter);

#endif
