#include "shim/output/boot_time.h"

#include <stdbool.h>
#include <time.h>

static int64_t clock_ns(clockid_t clock) {
  struct timespec now = {0};
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Of five measurements, the one that took least time.
int64_t boot_time_offset(void) {
  static int64_t offset;
  static bool is_known;
  int64_t least = INT64_MAX;
  for (int i = 0; i < 5 && !is_known; i++) {
    int64_t before = clock_ns(CLOCK_REALTIME);
    int64_t boot = clock_ns(CLOCK_BOOTTIME);
    int64_t taken = clock_ns(CLOCK_REALTIME) - before;
    if (taken >= 0 && taken < least) {
      least = taken;
      offset = before + taken / 2 - boot;
    }
  }
  is_known = true;
  return offset;
}
