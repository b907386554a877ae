// The script's own tests and benchmarks: a feature (see features.h) of tracers whose script has such probes.
#ifndef SHIM_TESTING_H
#define SHIM_TESTING_H

#include "shim/events.h"

// Runs the probes of the mode that the options ask for and prints what came of them, as upstream does. Failed ones set the exit
// code. Returns 0 or a negative errno.
int shim_run_tests(struct tracer *tracer, struct events *events);

#endif
