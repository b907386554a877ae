// iter: a program that the kernel runs for each of its objects, while the iterator is read as a file.
#include "shim/attach/iterator.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/report.h"
#include "shim/small_printf.h"

enum { PATH_SIZE = 512 };

// The kernel has a function of this name for each kind of object, to which the program is bound by its BTF id.
static int expand_iterator(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  const struct btf *btf;
  int err = btf_open_kernel(&btf);
  if (err) {
    report(REPORT_ERROR, tracer->resources, probe->span, "iter: attach %s: /sys/kernel/btf/vmlinux: %s", probe->name,
           report_cause(err));
    return err == -ENOENT ? -ENODEV : err;
  }
  char function[128];
  small_snprintf(function, sizeof(function), "bpf_iter_%s", probe->iterator->target);
  uint32_t id = btf_find(btf, function, strlen(function), 1u << BTF_KIND_FUNC, 0);
  return id ? target_add(tracer, index, probe->name, "", probe->iterator->target, id) : -ENOENT;
}

static int prepare_iterator(struct tracer *tracer, const struct pb_probe *probe, const struct target *target,
                            struct bpf_prog_load_attr *load) {
  (void)tracer, (void)probe;
  load->attach_btf_id = (uint32_t)target->address;
  return 0;
}

static int attach_iterator(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  (void)probe;
  struct bpf_link_create_iter_attr attr = {.prog_fd = (uint32_t)program_fd, .attach_type = BPF_TRACE_ITER};
  int fd = bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr));
  if (fd < 0) {
    attach_report(tracer, target, "iter", fd);
    return fd;
  }
  target->fd = fd;
  return 0;
}

// Copies what the programs print. What else they send goes through the ring buffer, which one read may fill.
static int copy_output(struct tracer *tracer, struct events *events, int fd) {
  char buffer[1024];
  for (;;) {
    ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EAGAIN)
      continue;  // a million objects without output: the kernel wants to be asked again
    if (size < 0)
      return -errno;
    writer_put(&tracer->out, buffer, (size_t)size);
    int err = events_drain(tracer, events);
    if (err || !size)
      return err ? err : writer_settle(&tracer->out);
  }
}

static int run_iterator(struct tracer *tracer, struct events *events, const struct target *target) {
  struct bpf_iter_create_attr attr = {.link_fd = (uint32_t)target->fd};
  int fd = bpf_call(BPF_ITER_CREATE, &attr, sizeof(attr));
  if (fd < 0)
    return fd;
  int err = copy_output(tracer, events, fd);
  close(fd);
  return err;
}

static int pin_iterator(struct tracer *tracer, const struct target *target, const char *pin) {
  char path[PATH_SIZE];
  int size = small_snprintf(path, sizeof(path), "%s%s", *pin == '/' ? "" : "/sys/fs/bpf/", pin);
  if ((size_t)size >= sizeof(path))
    return -ENAMETOOLONG;
  struct bpf_obj_pin_attr attr = {.pathname = bpf_pointer(path), .bpf_fd = (uint32_t)target->fd};
  int err = bpf_call(BPF_OBJ_PIN, &attr, sizeof(attr));
  if (err)
    return err;
  writer_text(&tracer->out, "Program pinned to ");
  writer_text(&tracer->out, path);
  writer_text(&tracer->out, "\n");
  return writer_settle(&tracer->out);
}

int shim_run_iterators(struct tracer *tracer, struct events *events) {
  int err = 0;
  for (uint32_t i = 0; !err && i < tracer->targets_count; i++) {
    const struct target *target = &tracer->targets[i];
    const struct pb_probe *probe = &tracer->resources->probes[target->probe];
    if (probe->attach_case != PB_PROBE_ATTACH_ITERATOR || !target->is_attached)
      continue;
    const char *pin = probe->iterator->pin;
    err = *pin ? pin_iterator(tracer, target, pin) : run_iterator(tracer, events, target);
    if (err)
      report(REPORT_ERROR, tracer->resources, probe->span, "iter: %s %s: %s", *pin ? "pin" : "read", *pin ? pin : target->name,
             report_cause(err));
  }
  return err;
}

const struct attach_family shim_attach_iterator = {
    .expand = expand_iterator, .prepare = prepare_iterator, .attach = attach_iterator};
