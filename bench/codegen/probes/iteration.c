#include "common.h"

static u64 (*ktime_get_boot_ns)(void) = (void *)125;

MAP(in, "@in");
MAP(sum, "@sum");

struct context {
  u64 *sum;
};

FUNCTION("add") long add(UNUSED void *map, UNUSED const void *key, const u64 *value, struct context *context) {
  *context->sum += *value;
  return 0;
}

static inline void assign(void *map, const void *key, const void *value) {
  int err = (int)map_update_elem(map, key, value, 0);
  if (err < 0)
    report_error(0, (u64)err);
}

PROGRAM long probe(UNUSED void *ctx) {
  u32 tid = (u32)get_current_pid_tgid();
  u64 now = ktime_get_boot_ns();
  assign(&in, &tid, &now);
  u64 total = 0;
  struct context context = {&total};
  int err = (int)for_each_map_elem(&in, add, &context, 0);
  if (err < 0)
    report_error(0, (u64)err);
  u64 zero = 0;
  assign(&sum, &zero, &total);
  return 1;
}
