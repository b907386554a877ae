#include "common.h"

MAP(files, "@");
MAP(scratch, "scratch0");

PROGRAM long probe(const u64 *ctx) {
  u32 zero = 0;
  char *key = map_lookup_elem(&scratch, &zero);
  if (!key)
    return 1;
  // One byte more than the key has, to know of a string that is cut.
  __builtin_memset(key, 0, 65);
  probe_read_user_str(key, 65, ctx[3]);
  count(&files, key);
  return 1;
}
