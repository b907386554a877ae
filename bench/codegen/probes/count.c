#include "common.h"

MAP(total, "@");
MAP(by, "@by");

PROGRAM long probe(UNUSED void *ctx) {
  u64 zero = 0;
  count(&total, &zero);
  char key[16] = {};
  get_current_comm(key, sizeof(key));
  count(&by, key);
  return 1;
}
