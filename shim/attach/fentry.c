// fentry and fexit: tracing programs, bound to a function of the kernel, of a module or of a BPF program by its BTF id when they are
// loaded.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/attach/bpf_objects.h"
#include "shim/attach/traceable.h"
#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/report.h"
#include "shim/small_printf.h"

struct search {
  struct tracer *tracer;
  uint32_t probe;
};

static const struct pb_probe *probe_of(const struct search *search) {
  return &search->tracer->resources->probes[search->probe];
}

static int add_function(const struct search *search, const char *module, const char *function) {
  char name[800];
  small_snprintf(name, sizeof(name), "%s:%s:%s", probe_of(search)->fentry->is_exit ? "fexit" : "fentry", module, function);
  return target_add(search->tracer, search->probe, name, module, function, 0);
}

static int add_match(void *context, const struct traceable *function) {
  const struct search *search = context;
  const struct pb_fentry *fentry = probe_of(search)->fentry;
  if (!target_matches(fentry->function, function->name) || strstr(function->name, ".part.") ||
      !target_matches(*fentry->module ? fentry->module : "*", function->module))
    return 0;
  return add_function(search, function->module, function->name);
}

static int compare_functions(const void *left, const void *right) {
  const struct target *a = left, *b = right;
  int order = strcmp(a->group, b->group);
  return order ? order : strcmp(a->symbol, b->symbol);
}

static int compare_symbol(const void *name, const void *target) {
  return strcmp(name, ((const struct target *)target)->symbol);
}

// Gives the targets of one module, sorted by function, their BTF ids.
static void find_ids(const struct btf *btf, uint32_t object, struct target *targets, uint32_t count) {
  for (uint32_t id = btf->first; id < btf->count; id++) {
    const struct btf_type *type = btf_type(btf, id);
    if (btf_kind(type) != BTF_KIND_FUNC)
      continue;
    struct target *target = bsearch(btf_string(btf, type->name_off), targets, count, sizeof(*targets), compare_symbol);
    if (!target)
      continue;
    target->address = id;
    target->object = object;
  }
}

// The same with the BTF of their module; those of a module without BTF get none.
static int find_ids_of_module(const struct btf *kernel, struct target *targets, uint32_t count) {
  const char *module = targets[0].group;
  if (!strcmp(module, "vmlinux")) {
    find_ids(kernel, 0, targets, count);
    return 0;
  }
  struct btf btf;
  uint32_t object;
  int err = btf_open_module(module, kernel, &btf);
  if (err)
    return err == -ENOENT ? 0 : err;
  err = bpf_objects_find_btf(module, &object);
  if (!err)
    find_ids(&btf, object, targets, count);
  btf_close(&btf);
  return err == -ENOENT ? 0 : err;
}

// Without ids there is nothing to attach to; and a name that several functions have is listed several times.
static void drop_unusable(struct tracer *tracer, uint32_t first) {
  struct target *targets = tracer->targets;
  uint32_t kept = first;
  for (uint32_t i = first; i < tracer->targets_count; i++) {
    bool is_repeated = kept > first && !compare_functions(&targets[kept - 1], &targets[i]);
    if (targets[i].address && !is_repeated)
      targets[kept++] = targets[i];
    else
      free(targets[i].name);
  }
  tracer->targets_count = kept;
}

static int find_functions(const struct search *search, uint32_t first) {
  struct tracer *tracer = search->tracer;
  const struct btf *kernel;
  int err = btf_open_kernel(&kernel);
  if (err) {
    report(REPORT_ERROR, tracer->resources, probe_of(search)->span, "fentry: attach %s: /sys/kernel/btf/vmlinux: %s",
           probe_of(search)->name, report_cause(err));
    return err == -ENOENT ? -ENODEV : err;
  }
  qsort(tracer->targets + first, tracer->targets_count - first, sizeof(*tracer->targets), compare_functions);
  for (uint32_t i = first, end; !err && i < tracer->targets_count; i = end) {
    end = i + 1;
    while (end < tracer->targets_count && !strcmp(tracer->targets[end].group, tracer->targets[i].group))
      end++;
    err = find_ids_of_module(kernel, &tracer->targets[i], end - i);
    if (err)
      report(REPORT_ERROR, tracer->resources, probe_of(search)->span, "fentry: attach %s: BTF of %s: %s", probe_of(search)->name,
             tracer->targets[i].group, report_cause(err));
  }
  drop_unusable(tracer, first);
  return err;
}

static int add_program(void *context, uint32_t program, uint32_t btf_id, const char *function) {
  const struct search *search = context;
  const struct pb_fentry *fentry = probe_of(search)->fentry;
  if ((fentry->bpf_program_id && fentry->bpf_program_id != program) || !target_matches(fentry->function, function))
    return 0;
  char name[256];
  small_snprintf(name, sizeof(name), "%s:bpf:%u:%s", fentry->is_exit ? "fexit" : "fentry", program, function);
  int err = target_add(search->tracer, search->probe, name, "bpf", function, btf_id);
  if (!err)
    search->tracer->targets[search->tracer->targets_count - 1].object = program;
  return err;
}

static int expand_fentry(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  const struct pb_fentry *fentry = probe->fentry;
  uint32_t first = tracer->targets_count;
  struct search search = {tracer, index};
  int err;
  if (!strcmp(fentry->module, "bpf")) {
    err = bpf_objects_each_function(add_program, &search);
    if (err)
      report(REPORT_ERROR, tracer->resources, probe->span, "fentry: list BPF programs: %s%s", report_cause(err),
             report_privilege_hint(err));
  } else {
    const char *module = *fentry->module ? fentry->module : "vmlinux";
    err = probe->has_wildcard ? traceable_each(tracer, index, add_match, &search)
                              : target_add(tracer, index, probe->name, module, fentry->function, 0);
    if (!err)
      err = find_functions(&search, first);
  }
  return err ? err : tracer->targets_count > first ? 0 : -ENOENT;
}

static int prepare_fentry(struct tracer *tracer, const struct pb_probe *probe, const struct target *target,
                          struct bpf_prog_load_attr *load) {
  load->attach_btf_id = (uint32_t)target->address;
  if (!target->object)
    return 0;
  int fd = bpf_objects_open(strcmp(target->group, "bpf") ? BPF_BTF_GET_FD_BY_ID : BPF_PROG_GET_FD_BY_ID, target->object);
  if (fd < 0) {
    report(REPORT_ERROR, tracer->resources, probe->span, "fentry: attach %s: %s", target->name, report_cause(fd));
    return fd;
  }
  load->attach_object_fd = (uint32_t)fd;
  return 0;
}

static int attach_fentry(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  (void)probe;
  struct bpf_raw_tracepoint_attr attr = {.prog_fd = (uint32_t)program_fd};
  int fd = bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
  if (fd < 0) {
    attach_report(tracer, target, "fentry", fd);
    return fd;
  }
  target->fd = fd;
  return 0;
}

static bool runs_last_first(const struct pb_probe *probe) {
  (void)probe;
  return true;
}

const struct attach_family shim_attach_fentry = {.runs_last_first = runs_last_first,
                                                 .expand = expand_fentry,
                                                 .loads_each = attach_loads_each,
                                                 .prepare = prepare_fentry,
                                                 .attach = attach_fentry};
