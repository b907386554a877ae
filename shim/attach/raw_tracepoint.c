// Raw tracepoints: by name. Their names are in the BTF of the kernel and of modules, as typedefs btf_trace_<name>.
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/report.h"
#include "shim/small_printf.h"

static const char btf_folder[] = "/sys/kernel/btf";
static const char kernel_name[] = "vmlinux";
static const char prefix[] = "btf_trace_";

struct search {
  struct tracer *tracer;
  uint32_t probe;
};

static const struct pb_probe *probe_of(const struct search *search) {
  return &search->tracer->resources->probes[search->probe];
}

static int add_matches(const struct search *search, const char *module, const struct btf *btf) {
  int err = 0;
  for (uint32_t id = btf->first; !err && id < btf->count; id++) {
    const struct btf_type *type = btf_type(btf, id);
    const char *name = btf_kind(type) == BTF_KIND_TYPEDEF ? btf_string(btf, type->name_off) : "";
    const char *event = name + sizeof(prefix) - 1;
    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 || !target_matches(probe_of(search)->raw_tracepoint->event, event))
      continue;
    char full[256];
    small_snprintf(full, sizeof(full), "rawtracepoint:%s:%s", module, event);
    err = target_add(search->tracer, search->probe, full, module, event, 0);
  }
  return err;
}

static bool module_matches(const struct search *search, const char *module) {
  const char *pattern = probe_of(search)->raw_tracepoint->module;
  return target_matches(*pattern ? pattern : "*", module);
}

static int add_of_modules(const struct search *search, const struct btf *kernel) {
  DIR *folder = opendir(btf_folder);
  if (!folder)
    return -errno;
  int err = 0;
  const struct dirent *entry;
  while (!err && (entry = readdir(folder))) {
    struct btf btf;
    if (*entry->d_name == '.' || !strcmp(entry->d_name, kernel_name) || !module_matches(search, entry->d_name))
      continue;
    err = btf_open_module(entry->d_name, kernel, &btf);
    if (err) {
      err = err == -ENOENT ? 0 : err;  // it is gone since
      continue;
    }
    err = add_matches(search, entry->d_name, &btf);
    btf_close(&btf);
  }
  closedir(folder);
  return err;
}

static int expand_raw_tracepoint(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  struct search search = {tracer, index};
  if (!probe->has_wildcard)
    return target_add(tracer, index, probe->name, probe->raw_tracepoint->module, probe->raw_tracepoint->event, 0);
  const struct btf *kernel;
  uint32_t first = tracer->targets_count;
  int err = btf_open_kernel(&kernel);
  if (!err && module_matches(&search, kernel_name))
    err = add_matches(&search, kernel_name, kernel);
  if (!err)
    err = add_of_modules(&search, kernel);
  if (err) {
    report(REPORT_ERROR, tracer->resources, probe->span, "rawtracepoint: attach %s: %s: %s", probe->name, btf_folder,
           report_cause(err));
    return err == -ENOENT ? -ENODEV : err;
  }
  return tracer->targets_count > first ? 0 : -ENOENT;
}

static int attach_raw_tracepoint(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  (void)probe;
  struct bpf_raw_tracepoint_attr attr = {.name = bpf_pointer(target->symbol), .prog_fd = (uint32_t)program_fd};
  int fd = bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
  if (fd < 0) {
    attach_report(tracer, target, "rawtracepoint", fd);
    return fd;
  }
  target->fd = fd;
  return 0;
}

const struct attach_family shim_attach_raw_tracepoint = {
    .expand = expand_raw_tracepoint, .loads_each = attach_loads_each_for_cookie, .attach = attach_raw_tracepoint};
