// Time series.
//
// A tseries() map has an entry for every interval: the one with the number `epoch` since 1970 has the bucket `epoch` modulo the
// number of intervals (see map_groups.h). Its value is that of a CPU's last interval there, so that CPUs may have different ones: the
// latest counts.
#ifndef SHIM_OUTPUT_TIME_SERIES_H
#define SHIM_OUTPUT_TIME_SERIES_H

#include "shim/output/map_groups.h"

// Prints a map of time series, all of them up to the last interval in which any of them has a value. As in upstream neither `top`
// nor `div` change anything.
extern groups_printer shim_print_tseries;

#endif
