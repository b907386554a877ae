// Iterators have their say once, when everything is attached.
#ifndef SHIM_ATTACH_ITERATOR_H
#define SHIM_ATTACH_ITERATOR_H

#include "shim/events.h"

// Reads the iterators that are attached to their ends, or pins them. Returns 0, or a negative errno after reporting. A tracer without
// iter probes does not have it.
int shim_run_iterators(struct tracer *tracer, struct events *events);

#endif
