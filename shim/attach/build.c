#include "shim/attach/build.h"

#include <errno.h>
#include <string.h>

#include "shim/report.h"
#include "shim/user/build_id.h"

enum { MAX_ID = 32 };  // shown; linkers write 16 or 20 bytes

static const char *hex(const uint8_t *id, size_t size, char text[2 * MAX_ID + 1]) {
  static const char digits[] = "0123456789abcdef";
  size_t length = 0;
  for (size_t i = 0; i < size && i < MAX_ID; i++) {
    text[length++] = digits[id[i] >> 4];
    text[length++] = digits[id[i] & 15];
  }
  text[length] = 0;
  return length ? text : "none";
}

int shim_check_build(const struct tracer *tracer, const struct pb_probe *probe, struct pb_bytes wanted, bool has_address,
                     const struct elf *elf, const char *path, bool *is_same) {
  const uint8_t *id;
  size_t size = elf_build_id(elf, &id);
  *is_same = size == wanted.size && !memcmp(id, wanted.data, size);
  if (*is_same)
    return 0;
  char found_text[2 * MAX_ID + 1], wanted_text[2 * MAX_ID + 1];
  bool may_differ = tracer->resources->config->any_build && !has_address;
  report(may_differ ? REPORT_WARNING : REPORT_ERROR, tracer->resources, probe->span,
         "attach %s: %s is another build than the one that this tracer was made for: its build id is %s, not %s", probe->name, path,
         hex(id, size, found_text), hex(wanted.data, wanted.size, wanted_text));
  return may_differ ? 0 : -ESTALE;
}
