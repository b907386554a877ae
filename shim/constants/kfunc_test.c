// Whether a function of the kernel is there, and whether a probe's programs may call it.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/constants.h"
#include "shim/report.h"

enum { LOG_LEVEL = 1, LOG_SIZE = 4096 };

// Whether the verifier has refused the call for what is called, not for its arguments, which a test does not have.
static bool is_refused(const char *log) {
  static const char *const reasons[] = {
      "calling kernel function",  // "X is not allowed"; or there is no JIT that could
      "call kernel function",     // "from non-GPL compatible program"
      "call sleepable kfunc",     // "program must be sleepable to"
      "reserved fields",          // kernels before 5.13 know no such calls
  };
  for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
    if (strstr(log, reasons[i]))
      return true;
  return false;
}

// Only the verifier knows: it is asked with a program as the probe's, for its first target, that calls the function and ends.
static int ask_verifier(struct tracer *tracer, uint32_t probe_index, uint32_t id, bool *allowed) {
  const struct pb_probe *probe = &tracer->resources->probes[probe_index];
  const struct pb_program *program = &tracer->resources->programs[probe->program];
  const struct attach_family *family = attach_family_of(probe);
  uint32_t count;
  const struct target *target = attach_targets(tracer, probe_index, &count);
  const struct bpf_insn code[] = {
      {.code = BPF_OPCODE_CALL, .registers = BPF_PSEUDO_KFUNC_CALL << 4, .imm = (int32_t)id},
      {.code = BPF_OPCODE_EXIT},
  };
  char log[LOG_SIZE] = "";
  struct bpf_prog_load_attr attr = {
      .prog_type = program->bpf_type,
      .insn_cnt = sizeof(code) / sizeof(*code),
      .insns = bpf_pointer(code),
      .license = bpf_pointer(tracer->resources->config->license),
      .log_level = LOG_LEVEL,
      .log_size = sizeof(log),
      .log_buf = bpf_pointer(log),
      .prog_flags = program->flags,
      .expected_attach_type = program->expected_attach_type,
  };
  *allowed = false;
  if (!count)
    return 0;  // the program never runs
  int err = family->prepare ? family->prepare(tracer, probe, target, &attr) : 0;
  if (err)
    return err;
  int fd = bpf_call_allocating(BPF_PROG_LOAD, &attr, sizeof(attr));
  log[sizeof(log) - 1] = 0;
  *allowed = fd >= 0 || (*log && !is_refused(log));
  if (fd >= 0)
    close(fd);
  if (attr.attach_object_fd)
    close((int)attr.attach_object_fd);
  return 0;
}

static int resolve_kfunc_test(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  const struct pb_kfunc_test *test = constant->kfunc_test;
  const struct btf *btf;
  bool answer = false;
  int err = btf_open_kernel(&btf);
  if (err && err != -ENOENT) {  // a kernel without BTF has no such functions
    report(REPORT_ERROR, tracer->resources, constant->span, "btf: find %s: %s", test->name, report_cause(err));
    return err;
  }
  uint32_t id = err ? 0 : btf_find(btf, test->name, strlen(test->name), 1u << BTF_KIND_FUNC, 0);
  err = 0;
  if (id && test->question == PB_KFUNC_TEST_ALLOWED)
    err = ask_verifier(tracer, test->probe, id, &answer);
  else
    answer = id != 0;
  value->immediate = answer;
  return err;
}

const struct constant_family shim_constant_kfunc_test = {.resolve = resolve_kfunc_test};
