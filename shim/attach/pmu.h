// The perf PMUs "kprobe" and "uprobe" (4.17 and newer), whose numbers are assigned at boot.
#ifndef SHIM_ATTACH_PMU_H
#define SHIM_ATTACH_PMU_H

#include <stdbool.h>

#include "shim/kernel.h"

// Fills in type and config of an event of the PMU. Returns 0 or a negative errno: -EOPNOTSUPP if the kernel does not have it.
int pmu_describe(const char *pmu, bool is_return, struct perf_event_attr *attr);

#endif
