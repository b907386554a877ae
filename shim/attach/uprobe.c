// uprobe and uretprobe: functions of programs and libraries, through the perf PMU "uprobe" or, many at once, by one link (6.6).
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/attach/build.h"
#include "shim/attach/pmu.h"
#include "shim/bpf.h"
#include "shim/command.h"
#include "shim/attach/user_target.h"
#include "shim/demangle/demangle.h"
#include "shim/host.h"
#include "shim/small_printf.h"
#include "shim/user/elf.h"

#pragma weak shim_demangle  // a feature: see features.h

struct search {
  struct tracer *tracer;
  uint32_t probe;
  const struct elf *elf;
  const char *path;
  bool is_known_build;  // the one that the compiler has seen
  uint32_t first;       // of the targets found
};

static int compare_addresses(const void *left, const void *right) {
  const struct target *a = left, *b = right;
  return (a->address > b->address) - (a->address < b->address);
}

// Cuts the parameters off a demangled name, and what is behind them.
static void cut_parameters(char *name) {
  char *at = strrchr(name, ')');
  for (int depth = 0; at && at >= name; at--) {
    depth += (*at == ')') - (*at == '(');
    if (!depth) {
      *at = 0;
      return;
    }
  }
}

static bool function_matches(const struct pb_uprobe *uprobe, const char *name) {
  if (target_matches(uprobe->function, name))
    return true;
  if (!uprobe->demangled || strncmp(name, "_Z", 2) != 0)
    return false;
  char demangled[2048];
  if ((size_t)small_snprintf(demangled, sizeof(demangled), "%s", shim_demangle(name)) >= sizeof(demangled))
    return false;
  if (!strchr(uprobe->function, '('))
    cut_parameters(demangled);
  return target_matches(uprobe->function, demangled);
}

static int add_function(struct search *search, const struct elf_function *function, uint64_t address) {
  struct tracer *tracer = search->tracer;
  const struct pb_probe *probe = &tracer->resources->probes[search->probe];
  uint64_t offset;
  if (!elf_file_offset(search->elf, address, &offset))
    return 0;
  if (!probe->has_wildcard && *probe->uprobe->path)
    return target_add(tracer, search->probe, probe->name, search->path, function->name, offset);
  char name[PATH_MAX + 600];
  const char *path = user_target_is_named(probe->uprobe->path) ? probe->uprobe->path : search->path;
  small_snprintf(name, sizeof(name), "%s:%s:%s%s", probe->uprobe->is_return ? "uretprobe" : "uprobe", path,
                 probe->uprobe->demangled ? "cpp:" : "", function->name);
  return target_add(tracer, search->probe, name, search->path, function->name, offset);
}

static int take_named(void *context, const struct elf_function *function) {
  struct search *search = context;
  const struct pb_probe *probe = &search->tracer->resources->probes[search->probe];
  const struct pb_uprobe *uprobe = probe->uprobe;
  if (!function_matches(uprobe, function->name))
    return 0;
  if (function->size && uprobe->offset >= function->size && !uprobe->unsafe)
    return 0;
  int err = add_function(search, function, function->address + uprobe->offset);
  return err ? err : !probe->has_wildcard;  // without a pattern the first one is it
}

static int take_address(void *context, const struct elf_function *function) {
  struct search *search = context;
  uint64_t address = search->tracer->resources->probes[search->probe].uprobe->address;
  if (function->address != address)
    return 0;
  int err = add_function(search, function, address);
  return err ? err : 1;
}

// A function has several names and is in both symbol tables: one target for each place.
static void drop_repeated(struct search *search) {
  struct tracer *tracer = search->tracer;
  struct target *targets = tracer->targets + search->first;
  uint32_t count = tracer->targets_count - search->first, kept = 0;
  qsort(targets, count, sizeof(*targets), compare_addresses);
  for (uint32_t i = 0; i < count; i++) {
    if (kept && targets[kept - 1].address == targets[i].address)
      free(targets[i].name);
    else
      targets[kept++] = targets[i];
  }
  tracer->targets_count = search->first + kept;
}

static int search_file(struct search *search) {
  struct tracer *tracer = search->tracer;
  const struct pb_probe *probe = &tracer->resources->probes[search->probe];
  const struct pb_uprobe *uprobe = probe->uprobe;
  if (search->is_known_build && uprobe->address) {
    const struct elf_function known = {.name = uprobe->function};
    return add_function(search, &known, uprobe->address + uprobe->offset);
  }
  int found = elf_each_function(search->elf, *uprobe->function ? take_named : take_address, search);
  if (found < 0)
    return found;
  if (!found && !*uprobe->function && uprobe->unsafe) {
    const struct elf_function nameless = {.name = ""};
    return add_function(search, &nameless, uprobe->address);
  }
  if (probe->has_wildcard && tracer->targets_count > search->first)
    drop_repeated(search);
  return 0;
}

static int search_path(struct tracer *tracer, uint32_t index, const char *path, const struct elf *elf) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  struct search search = {.tracer = tracer, .probe = index, .elf = elf, .path = path, .first = tracer->targets_count};
  int err = 0;
  if (probe->uprobe->build_id.size)
    err = shim_check_build(tracer, probe, probe->uprobe->build_id, !*probe->uprobe->function, elf, path, &search.is_known_build);
  return err ? err : search_file(&search);
}

static int expand_uprobe(struct tracer *tracer, uint32_t index) {
  return user_target_expand(tracer, index, tracer->resources->probes[index].uprobe->path, search_path);
}

static int attach_uprobe(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  struct perf_event_attr attr = {.sample_period = 1, .flags = PERF_ATTR_FLAG_DISABLED};
  int err = pmu_describe("uprobe", probe->uprobe->is_return, &attr);
  if (!err) {
    attr.config1 = bpf_pointer(target->group);
    attr.config2 = target->address;
    // For all processes it must be a CPU, of which the kernel takes no notice; for one process none.
    int pid = command_target_pid(tracer);
    target->fd = attach_perf_event(&attr, pid ? pid : -1, pid ? -1 : 0, program_fd,
                                   attach_cookie(tracer, target));
    err = target->fd < 0 ? target->fd : 0;
  }
  if (err == -EOPNOTSUPP)
    attach_report_cause(tracer, target, "uprobe", "this kernel was built without uprobes");
  else if (err)
    attach_report(tracer, target, "uprobe", err);
  return err;
}

static bool has_one_link(const struct pb_probe *probe, uint32_t targets) {
  return probe->has_wildcard && targets > 1 && host_kernel_version() >= KERNEL_VERSION(6, 6, 0);
}

static int prepare_uprobe(struct tracer *tracer, const struct pb_probe *probe, const struct target *target,
                          struct bpf_prog_load_attr *load) {
  uint32_t count;
  attach_targets(tracer, target->probe, &count);
  if (attach_has_one_link(tracer, probe, count))
    load->expected_attach_type = BPF_TRACE_UPROBE_MULTI;
  return 0;
}

// One link for the targets in one file.
static int attach_file(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *targets, uint32_t count) {
  uint64_t *offsets = malloc(2 * (size_t)count * sizeof(*offsets));
  if (!offsets)
    return -ENOMEM;
  uint64_t *cookies = offsets + count;
  for (uint32_t i = 0; i < count; i++) {
    offsets[i] = targets[i].address;
    cookies[i] = attach_cookie(tracer, &targets[i]);
  }
  struct bpf_link_create_uprobe_multi_attr attr = {
      .prog_fd = (uint32_t)program_fd,
      .attach_type = BPF_TRACE_UPROBE_MULTI,
      .path = bpf_pointer(targets[0].group),
      .offsets = bpf_pointer(offsets),
      .cookies = bpf_pointer(cookies),
      .count = count,
      .uprobe_flags = probe->uprobe->is_return ? BPF_F_UPROBE_MULTI_RETURN : 0,
      .pid = (uint32_t)command_target_pid(tracer),
  };
  int fd = bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr));
  free(offsets);
  if (fd < 0) {
    attach_report(tracer, &targets[0], "uprobe", fd);
    return fd;
  }
  targets[0].fd = fd;
  return 0;
}

static int attach_many(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *targets, uint32_t count) {
  int err = 0;
  for (uint32_t i = 0, end; !err && i < count; i = end) {
    end = i + 1;
    while (end < count && !strcmp(targets[end].group, targets[i].group))
      end++;
    err = attach_file(tracer, probe, program_fd, targets + i, end - i);
  }
  return err;
}

static bool runs_last_first(const struct pb_probe *probe) {
  (void)probe;
  return true;
}

const struct attach_family shim_attach_uprobe = {
    .runs_last_first = runs_last_first,
    .expand = expand_uprobe,
    .has_one_link = has_one_link,
    .prepare = prepare_uprobe,
    .attach = attach_uprobe,
    .attach_many = attach_many,
};
