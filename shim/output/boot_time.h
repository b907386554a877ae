// From the clock that programs read to the time of day.
#ifndef SHIM_OUTPUT_BOOT_TIME_H
#define SHIM_OUTPUT_BOOT_TIME_H

#include <stdint.h>

// What to add to a time of CLOCK_BOOTTIME for the time of day, in nanoseconds; measured once.
int64_t boot_time_offset(void);

#endif
