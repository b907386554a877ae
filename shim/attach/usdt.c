// usdt: static probes of programs and libraries, which their ELF notes list ("stapsdt", as SystemTap's sys/sdt.h writes them).
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/attach/build.h"
#include "shim/attach/pmu.h"
#include "shim/attach/user_target.h"
#include "shim/bpf.h"
#include "shim/command.h"
#include "shim/report.h"
#include "shim/small_printf.h"
#include "shim/user/elf.h"
#include "shim/user/usdt_argument.h"

enum { NOTE_STAPSDT = 3, REF_COUNTER_SHIFT = 32 };

struct search {
  struct tracer *tracer;
  uint32_t probe;
  const struct elf *elf;
  const char *path;
  uint64_t base;  // of the section .stapsdt.base: how far prelink has moved the addresses of the notes
};

struct note {
  uint64_t address;
  uint64_t base;
  uint64_t semaphore;
  const char *provider;
  const char *name;
  const char *arguments;
};

// A note's content: three addresses, three texts.
static bool read_note(const uint8_t *data, size_t size, struct note *note) {
  uint64_t addresses[3];
  const char *texts[3];
  if (size < sizeof(addresses))
    return false;
  memcpy(addresses, data, sizeof(addresses));
  const char *at = (const char *)data + sizeof(addresses), *end = (const char *)data + size;
  for (int i = 0; i < 3; i++) {
    const char *nul = memchr(at, 0, (size_t)(end - at));
    if (!nul)
      return false;
    texts[i] = at;
    at = nul + 1;
  }
  *note = (struct note){addresses[0], addresses[1], addresses[2], texts[0], texts[1], texts[2]};
  return true;
}

static int add_note(const struct search *search, const struct note *note) {
  struct tracer *tracer = search->tracer;
  const struct pb_usdt *usdt = tracer->resources->probes[search->probe].usdt;
  if ((*usdt->provider && !target_matches(usdt->provider, note->provider)) || !target_matches(usdt->name, note->name))
    return 0;
  uint64_t moved = search->base ? search->base - note->base : 0, offset, semaphore = 0;
  if (!elf_file_offset(search->elf, note->address + moved, &offset))
    return 0;
  if (note->semaphore && !elf_file_offset(search->elf, note->semaphore + moved, &semaphore))
    return 0;
  char name[PATH_MAX + 600];
  small_snprintf(name, sizeof(name), "usdt:%s:%s:%s", user_target_is_named(usdt->path) ? usdt->path : search->path, note->provider, note->name);
  int err = target_add(tracer, search->probe, name, search->path, note->arguments, offset);
  if (!err)
    tracer->targets[tracer->targets_count - 1].semaphore = semaphore;
  return err;
}

static int find_base(void *context, const char *name, const struct elf_section *section) {
  struct search *search = context;
  if (strcmp(name, ".stapsdt.base") != 0)
    return 0;
  search->base = section->address;
  return 1;
}

static int take_notes(void *context, const char *section_name, const struct elf_section *section) {
  if (strcmp(section_name, ".note.stapsdt") != 0)
    return 0;
  for (uint64_t at = 0; at + 12 <= section->size;) {
    uint32_t header[3];  // sizes of name and content, type
    memcpy(header, section->data + at, sizeof(header));
    uint64_t content = at + sizeof(header) + ((header[0] + UINT64_C(3)) & ~UINT64_C(3));
    uint64_t next = content + ((header[1] + UINT64_C(3)) & ~UINT64_C(3));
    if (next > section->size)
      break;
    struct note note;
    int err = header[2] == NOTE_STAPSDT && read_note(section->data + content, header[1], &note) ? add_note(context, &note) : 0;
    if (err)
      return err;
    at = next;
  }
  return 0;
}

static int search_path(struct tracer *tracer, uint32_t index, const char *path, const struct elf *elf) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  struct search search = {.tracer = tracer, .probe = index, .elf = elf, .path = path};
  bool is_known_build;
  int err = 0;
  if (probe->usdt->build_id.size)
    err = shim_check_build(tracer, probe, probe->usdt->build_id, false, elf, path, &is_known_build);
  if (err)
    return err;
  elf_each_section(elf, find_base, &search);
  return elf_each_section(elf, take_notes, &search);
}

static int expand_usdt(struct tracer *tracer, uint32_t index) {
  const char *path = tracer->resources->probes[index].usdt->path;
  return user_target_expand(tracer, index, !*path && tracer->options.pid ? "*" : path, search_path);
}

int shim_fill_usdt_arguments(struct tracer *tracer, int map_fd) {
  for (uint32_t i = 0; i < tracer->targets_count; i++) {
    const struct target *target = &tracer->targets[i];
    const struct pb_probe *probe = &tracer->resources->probes[target->probe];
    if (probe->attach_case != PB_PROBE_ATTACH_USDT || !tracer->resources->programs[probe->program].uses_cookie)
      continue;
    struct usdt_argument arguments[USDT_ARGUMENTS] = {0};
    const char *text = target->symbol;
    int result = 1;
    for (uint32_t n = 0; n < USDT_ARGUMENTS && result > 0; n++)
      result = usdt_argument_parse(&text, &arguments[n]);
    if (result < 0) {
      report(REPORT_ERROR, tracer->resources, probe->span, "usdt: attach %s: argument is not understood: %s", target->name, text);
      return result;
    }
    uint32_t cookie = i + 1;
    int err = bpf_map_update(map_fd, &cookie, arguments);
    if (err)
      return err;
  }
  return 0;
}

static int attach_usdt(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  (void)probe;
  struct perf_event_attr attr = {.sample_period = 1, .flags = PERF_ATTR_FLAG_DISABLED};
  int err = pmu_describe("uprobe", false, &attr);
  if (!err) {
    attr.config |= target->semaphore << REF_COUNTER_SHIFT;
    attr.config1 = bpf_pointer(target->group);
    attr.config2 = target->address;
    int pid = command_target_pid(tracer);
    target->fd = attach_perf_event(&attr, pid ? pid : -1, pid ? -1 : 0, program_fd, attach_cookie(tracer, target));
    err = target->fd < 0 ? target->fd : 0;
  }
  if (err == -EOPNOTSUPP)
    attach_report_cause(tracer, target, "usdt", "this kernel was built without uprobes");
  else if (err)
    attach_report(tracer, target, "usdt", err);
  return err;
}

static bool runs_last_first(const struct pb_probe *probe) {
  (void)probe;
  return true;
}

const struct attach_family shim_attach_usdt = {.runs_last_first = runs_last_first, .expand = expand_usdt, .attach = attach_usdt};
