#include "shim/attach/kprobe_multi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/bpf.h"
#include "shim/host.h"
#include "shim/kallsyms.h"
#include "shim/report.h"
#include "shim/small_printf.h"

// One line of available_filter_functions: "name" or "name [module]", with _addrs (6.5) an address before it.
struct traceable {
  uint64_t address;  // 0 if the file does not tell
  const char *name;
  const char *module;
};

// What ftrace lists in the place of a function that the linker has dropped: FTRACE_INVALID_FUNCTION of linux/ftrace.h.
static const char INVALID_FUNCTION[] = "__ftrace_invalid_address__";

// Takes a line apart in place and returns where the next one begins.
static char *parse_line(char *line, bool has_address, struct traceable *function) {
  char *end = strchr(line, '\n');
  char *next = end ? end + 1 : line + strlen(line);
  if (end)
    *end = 0;
  char *rest = line;
  function->address = has_address ? strtoull(line, &rest, 16) : 0;
  while (*rest == ' ')
    rest++;
  function->name = rest;
  function->module = "vmlinux";
  char *bracket = strchr(rest, '[');
  if (bracket) {
    function->module = bracket + 1;
    bracket[strcspn(bracket, "]")] = 0;
  }
  rest[strcspn(rest, " \t")] = 0;
  return next;
}

static int add_matches(struct tracer *tracer, uint32_t index, char *text, bool has_address) {
  const struct pb_kprobe *kprobe = tracer->resources->probes[index].kprobe;
  const char *type = kprobe->is_return ? "kretprobe" : "kprobe";
  const char *module_pattern = *kprobe->module ? kprobe->module : "*";
  int err = 0;
  while (*text && !err) {
    struct traceable function;
    text = parse_line(text, has_address, &function);
    if (!strncmp(function.name, INVALID_FUNCTION, sizeof(INVALID_FUNCTION) - 1))
      continue;
    if (!target_matches(kprobe->function, function.name) || !target_matches(module_pattern, function.module))
      continue;
    char name[800];
    if (*kprobe->module)
      small_snprintf(name, sizeof(name), "%s:%s:%s", type, function.module, function.name);
    else
      small_snprintf(name, sizeof(name), "%s:%s", type, function.name);
    bool is_kernel = !strcmp(function.module, "vmlinux");
    err = target_add(tracer, index, name, is_kernel ? "" : function.module, function.name, function.address);
  }
  return err;
}

static int compare_symbols(const void *left, const void *right) {
  const struct target *a = left, *b = right;
  int order = strcmp(a->symbol, b->symbol);
  return order ? order : (a->address > b->address) - (a->address < b->address);
}

int kprobe_expand(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  const char *tracefs = host_tracefs();
  char path[128], *text;
  size_t size;
  bool has_address = true;
  small_snprintf(path, sizeof(path), "%s/available_filter_functions_addrs", tracefs ? tracefs : "");
  int err = host_read_file(path, &text, &size);
  if (err == -ENOENT) {
    has_address = false;
    *strrchr(path, '_') = 0;
    err = host_read_file(path, &text, &size);
  }
  if (err) {
    report(REPORT_ERROR, tracer->resources, probe->span, "kprobe: list functions of %s: %s: %s%s", probe->name, path,
           report_cause(err), report_closed_hint(err));
    return err == -ENOENT ? -ENODEV : err;
  }
  uint32_t first = tracer->targets_count;
  err = add_matches(tracer, index, text, has_address);
  free(text);
  if (err)
    return err;
  if (tracer->targets_count == first)
    return -ENOENT;
  qsort(tracer->targets + first, tracer->targets_count - first, sizeof(*tracer->targets), compare_symbols);
  return 0;
}

// Whether the kernel has such links, which a build without CONFIG_FPROBE does not: asked by an empty one, for an empty program. It
// must be known before loading, because a program is either for them or for perf events.
static bool has_multi(void) {
  static enum { UNKNOWN, ABSENT, PRESENT } answer;
  if (answer != UNKNOWN)
    return answer == PRESENT;
  const struct bpf_insn code[] = {{.code = BPF_OPCODE_MOV64_IMM}, {.code = BPF_OPCODE_EXIT}};
  struct bpf_prog_load_attr load = {
      .prog_type = BPF_PROG_TYPE_KPROBE,
      .insn_cnt = sizeof(code) / sizeof(*code),
      .insns = bpf_pointer(code),
      .license = bpf_pointer("GPL"),
      .expected_attach_type = BPF_TRACE_KPROBE_MULTI,
  };
  int fd = bpf_call_allocating(BPF_PROG_LOAD, &load, sizeof(load));
  answer = ABSENT;
  if (fd >= 0 && host_kernel_version() >= KERNEL_VERSION(5, 18, 0)) {
    struct bpf_link_create_kprobe_multi_attr attr = {.prog_fd = (uint32_t)fd, .attach_type = BPF_TRACE_KPROBE_MULTI};
    answer = bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr)) == -EINVAL ? PRESENT : ABSENT;
  }
  if (fd >= 0)
    close(fd);
  return answer == PRESENT;
}

int kprobe_multi_prepare(struct tracer *tracer, const struct pb_probe *probe, const struct target *target,
                         struct bpf_prog_load_attr *load) {
  uint32_t count;
  attach_targets(tracer, target->probe, &count);
  if (probe->has_wildcard && count > 1 && has_multi())
    load->expected_attach_type = BPF_TRACE_KPROBE_MULTI;
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

int kprobe_multi_attach(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *targets,
                        uint32_t count) {
  if (!has_multi())
    return -ENOTSUP;
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
      .attach_type = BPF_TRACE_KPROBE_MULTI,
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
