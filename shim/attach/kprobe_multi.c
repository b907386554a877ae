#include "shim/attach/kprobe_multi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/traceable.h"
#include "shim/bpf.h"
#include "shim/host.h"
#include "shim/kallsyms.h"
#include "shim/report.h"
#include "shim/small_printf.h"

struct search {
  struct tracer *tracer;
  uint32_t probe;
};

static int add_match(void *context, const struct traceable *function) {
  struct search *search = context;
  const struct pb_probe *probe = &search->tracer->resources->probes[search->probe];
  const struct pb_kprobe *kprobe = probe->kprobe;
  if (!target_matches(kprobe->function, function->name) ||
      !target_matches(*kprobe->module ? kprobe->module : "*", function->module))
    return 0;
  // The cold part of a function that the compiler has split has no arguments: to a pattern it is none.
  if (probe->has_wildcard && strstr(function->name, ".part."))
    return 0;
  char name[800];
  const char *type = kprobe->is_return ? "kretprobe" : "kprobe";
  if (*kprobe->module)
    small_snprintf(name, sizeof(name), "%s:%s:%s", type, function->module, function->name);
  else
    small_snprintf(name, sizeof(name), "%s:%s", type, function->name);
  bool is_kernel = !strcmp(function->module, "vmlinux");
  return target_add(search->tracer, search->probe, name, is_kernel ? "" : function->module, function->name, function->address);
}

static int compare_symbols(const void *left, const void *right) {
  const struct target *a = left, *b = right;
  int order = strcmp(a->symbol, b->symbol);
  return order ? order : (a->address > b->address) - (a->address < b->address);
}

int kprobe_expand(struct tracer *tracer, uint32_t index) {
  uint32_t first = tracer->targets_count;
  struct search search = {tracer, index};
  int err = traceable_each(tracer, index, add_match, &search);
  if (err)
    return err;
  if (tracer->targets_count == first)
    return -ENOENT;
  qsort(tracer->targets + first, tracer->targets_count - first, sizeof(*tracer->targets), compare_symbols);
  return 0;
}

// Whether the kernel has such links, which a build without CONFIG_FPROBE does not: asked by an empty one, for an empty program. It
// must be known before loading, because a program is either for them or for perf events.
static bool has_links(uint32_t attach_type, uint32_t least_kernel) {
  const struct bpf_insn code[] = {{.code = BPF_OPCODE_MOV64_IMM}, {.code = BPF_OPCODE_EXIT}};
  struct bpf_prog_load_attr load = {
      .prog_type = BPF_PROG_TYPE_KPROBE,
      .insn_cnt = sizeof(code) / sizeof(*code),
      .insns = bpf_pointer(code),
      .license = bpf_pointer("GPL"),
      .expected_attach_type = attach_type,
  };
  if (host_kernel_version() < least_kernel)
    return false;
  int fd = bpf_call_allocating(BPF_PROG_LOAD, &load, sizeof(load));
  if (fd < 0)
    return false;
  struct bpf_link_create_kprobe_multi_attr attr = {.prog_fd = (uint32_t)fd, .attach_type = attach_type};
  bool has = bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr)) == -EINVAL;
  close(fd);
  return has;
}

enum answer { UNKNOWN, ABSENT, PRESENT };

static bool has_multi(void) {
  static enum answer answer;
  if (answer == UNKNOWN)
    answer = has_links(BPF_TRACE_KPROBE_MULTI, KERNEL_VERSION(5, 18, 0)) ? PRESENT : ABSENT;
  return answer == PRESENT;
}

bool kprobe_multi_has_sessions(void) {
  static enum answer answer;
  if (answer == UNKNOWN)
    answer = has_links(BPF_TRACE_KPROBE_SESSION, KERNEL_VERSION(6, 10, 0)) ? PRESENT : ABSENT;
  return answer == PRESENT;
}

bool kprobe_multi_has_one_link(const struct pb_probe *probe, uint32_t targets) {
  return probe->kprobe->session == PB_KPROBE_SESSION || (probe->has_wildcard && targets > 1 && has_multi());
}

static uint32_t attach_type_of(const struct pb_probe *probe) {
  return probe->kprobe->session == PB_KPROBE_SESSION ? BPF_TRACE_KPROBE_SESSION : BPF_TRACE_KPROBE_MULTI;
}

int kprobe_multi_prepare(struct tracer *tracer, const struct pb_probe *probe, const struct target *target,
                         struct bpf_prog_load_attr *load) {
  uint32_t count;
  attach_targets(tracer, target->probe, &count);
  if (attach_has_one_link(tracer, probe, count))
    load->expected_attach_type = attach_type_of(probe);
  return 0;
}

// The addresses at which the functions begin, from kallsyms. What ftrace lists is behind an endbr64 where the kernel has them, and
// by that address bpf_get_attach_cookie() would not find the cookie. Where ftrace tells no addresses, a name that several symbols
// have gets none.
struct addresses {
  const struct target *targets;
  uint64_t *addresses;
  uint32_t count;
};

enum { AMBIGUOUS = 1, LONGEST_PROLOGUE = 16 };

static int compare_name(const struct kallsyms_entry *entry, const char *name) {
  int order = strncmp(entry->name, name, entry->name_size);
  return order ? order : name[entry->name_size] ? -1 : 0;
}

static int take_address(void *context, const struct kallsyms_entry *entry) {
  struct addresses *wanted = context;
  uint32_t low = 0, high = wanted->count;
  if (entry->type != 't' && entry->type != 'T' && entry->type != 'w' && entry->type != 'W')
    return 0;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = compare_name(entry, wanted->targets[middle].symbol);
    if (order <= 0)
      high = middle;
    else
      low = middle + 1;
  }
  for (; low < wanted->count && compare_name(entry, wanted->targets[low].symbol) == 0; low++) {
    uint64_t traced = wanted->targets[low].address, *address = &wanted->addresses[low];
    if (!traced)
      *address = *address ? AMBIGUOUS : entry->address;
    else if (entry->address <= traced && traced - entry->address <= LONGEST_PROLOGUE)
      *address = entry->address;
  }
  return 0;
}

// NOLINTNEXTLINE(readability-non-const-parameter): they are written through the search
static int find_addresses(const struct target *targets, uint64_t *addresses, uint32_t count) {
  struct addresses wanted = {.targets = targets, .addresses = addresses, .count = count};
  return kallsyms_each(take_address, &wanted);
}

// One function without a pattern: the kernel looks it up itself.
static int attach_session(struct tracer *tracer, int program_fd, struct target *target) {
  const char *symbol = target->symbol;
  struct bpf_link_create_kprobe_multi_attr attr = {
      .prog_fd = (uint32_t)program_fd,
      .attach_type = BPF_TRACE_KPROBE_SESSION,
      .count = 1,
      .symbols = bpf_pointer(&symbol),
  };
  int fd = bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr));
  if (fd < 0) {
    fd = fd == -ESRCH ? -ENOENT : fd;
    attach_report(tracer, target, "kprobe", fd);
    return fd;
  }
  target->fd = fd;
  return 0;
}

int kprobe_multi_attach(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *targets,
                        uint32_t count) {
  if (!probe->has_wildcard)
    return attach_session(tracer, program_fd, targets);
  uint64_t *addresses = calloc(2 * (size_t)count, sizeof(*addresses));
  if (!addresses)
    return -ENOMEM;
  uint64_t *cookies = addresses + count;
  int err = find_addresses(targets, addresses, count);
  uint32_t used = 0;
  for (uint32_t i = 0; !err && i < count; i++) {
    if (addresses[i] <= AMBIGUOUS || (used && addresses[used - 1] == addresses[i]))
      continue;
    addresses[used] = addresses[i];
    cookies[used++] = attach_cookie(tracer, &targets[i]);
  }
  struct bpf_link_create_kprobe_multi_attr attr = {
      .prog_fd = (uint32_t)program_fd,
      .attach_type = attach_type_of(probe),
      .kprobe_flags = probe->kprobe->is_return ? BPF_F_KPROBE_MULTI_RETURN : 0,
      .count = used,
      .addresses = bpf_pointer(addresses),
      .cookies = bpf_pointer(cookies),
  };
  if (!err)
    err = used ? bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr)) : -ENOENT;
  free(addresses);
  if (err < 0) {
    attach_report(tracer, &targets[0], "kprobe", err);
    return err;
  }
  targets[0].fd = err;
  return 0;
}
