// Symbols of the file that a probe is in (uaddr), by its symbol tables.
#include <errno.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/constants.h"
#include "shim/report.h"
#include "shim/user/elf.h"

// A pointer to something of another size would read wrong values.
static bool is_other_size(uint64_t wanted, uint64_t size) {
  bool is_integer = size == 1 || size == 2 || size == 4;
  return wanted && wanted != (is_integer ? size : 8);
}

static int find_symbol(struct tracer *tracer, const struct pb_constant *constant, const struct elf *elf, const char *path,
                       uint64_t *address) {
  const struct pb_user_symbol *wanted = constant->user_symbol;
  uint64_t size;
  if (!elf_find_symbol(elf, wanted->symbol, address, &size)) {
    report(REPORT_ERROR, tracer->resources, constant->span, "Could not resolve symbol: %s:%s", path, wanted->symbol);
    return -ENOENT;
  }
  if (is_other_size(wanted->size, size)) {
    report(REPORT_ERROR, tracer->resources, constant->span,
           "uaddr: %s:%s: it has %llu bytes, but the tracer was compiled for %u; cast the pointer, as in (uint32 *)uaddr(...)", path,
           wanted->symbol, (unsigned long long)size, wanted->size);
    return -EINVAL;
  }
  return 0;
}

static int read_property(struct tracer *tracer, const struct pb_constant *constant, const struct target *target, uint64_t *value) {
  struct elf elf;
  int err = elf_open_at(target->group, target->start, &elf);
  if (err) {
    report(REPORT_ERROR, tracer->resources, constant->span, "uaddr: open %s: %s", target->group, report_cause(err));
    return err;
  }
  switch (constant->user_symbol->property) {
    case PB_USER_SYMBOL_ADDRESS:
      err = find_symbol(tracer, constant, &elf, target->group, value);
      break;
    case PB_USER_SYMBOL_PLACE:
      elf_address(&elf, target->address, value);
      break;
    default:
      *value = elf_is_fixed(&elf);
  }
  elf_close(&elf);
  return err;
}

static int resolve_user_symbol(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  uint32_t count;
  const struct target *targets = attach_targets(tracer, constant->user_symbol->probe, &count);
  if (!count)
    return 0;  // there is no place where the program could run
  for (uint32_t i = 1; i < count; i++) {
    if (strcmp(targets[i].group, targets[0].group) != 0) {
      report(REPORT_ERROR, tracer->resources, constant->span, "uaddr: the probe is in several files, %s and %s", targets[0].group,
             targets[i].group);
      return -EINVAL;
    }
  }
  return read_property(tracer, constant, &targets[0], &value->immediate);
}

const struct constant_family shim_constant_user_symbol = {.resolve = resolve_user_symbol};

int shim_fill_target_places(struct tracer *tracer, int map_fd) {
  for (uint32_t i = 0; i < tracer->targets_count; i++) {
    const struct target *target = &tracer->targets[i];
    const struct pb_probe *probe = &tracer->resources->probes[target->probe];
    struct elf elf;
    bool is_user = probe->attach_case == PB_PROBE_ATTACH_UPROBE || probe->attach_case == PB_PROBE_ATTACH_USDT;
    if (!is_user || !tracer->resources->programs[probe->program].uses_cookie || elf_open_at(target->group, target->start, &elf))
      continue;
    uint64_t place = 0;
    elf_address(&elf, target->address, &place);
    elf_close(&elf);
    uint32_t cookie = i + 1;
    int err = bpf_map_update(map_fd, &cookie, &place);
    if (err)
      return err;
  }
  return 0;
}
