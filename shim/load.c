#include "shim/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/constants.h"
#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"

enum { LOG_LEVEL = 1, LOG_SIZE = 1 << 20, MAX_LOG_SIZE = 1 << 26, LOG_SUMMARY_LINES = 3 };

// The kernel takes the access strings of CO-RE relocations from the BTF's strings; the payload has them in the relocations. So
// they are appended to the strings, which the compiler writes last.
static int append_access_strings(const struct pb_required_resources *resources, uint8_t **btf, uint32_t *btf_size) {
  struct btf_header header;
  size_t size = resources->btf.size;
  if (size < sizeof(header))
    return -EINVAL;
  memcpy(&header, resources->btf.data, sizeof(header));
  if ((uint64_t)header.hdr_len + header.str_off + header.str_len != size)
    return -EINVAL;
  for (uint32_t i = 0; i < resources->constants_count; i++)
    if (resources->constants[i].kind_case == PB_CONSTANT_KIND_CORE)
      size += strlen(resources->constants[i].core->access) + 1;
  uint8_t *data = malloc(size);
  if (!data)
    return -ENOMEM;
  memcpy(data, resources->btf.data, resources->btf.size);
  header.str_len += (uint32_t)(size - resources->btf.size);
  memcpy(data, &header, sizeof(header));
  uint8_t *end = data + resources->btf.size;
  for (uint32_t i = 0; i < resources->constants_count; i++) {
    if (resources->constants[i].kind_case != PB_CONSTANT_KIND_CORE)
      continue;
    size_t length = strlen(resources->constants[i].core->access) + 1;
    memcpy(end, resources->constants[i].core->access, length);
    end += length;
  }
  *btf = data;
  *btf_size = (uint32_t)size;
  return 0;
}

// Where append_access_strings() has put the access string of a constant.
static uint32_t access_string_offset(const struct pb_required_resources *resources, uint32_t constant) {
  struct btf_header header;
  memcpy(&header, resources->btf.data, sizeof(header));
  uint32_t offset = header.str_len;
  for (uint32_t i = 0; i < constant; i++)
    if (resources->constants[i].kind_case == PB_CONSTANT_KIND_CORE)
      offset += (uint32_t)strlen(resources->constants[i].core->access) + 1;
  return offset;
}

int load_btf(struct tracer *tracer) {
  tracer->btf_fd = -1;
  if (!tracer->resources->btf.size)
    return 0;
  uint8_t *btf;
  uint32_t size;
  int err = append_access_strings(tracer->resources, &btf, &size);
  if (!err) {
    struct bpf_btf_load_attr attr = {.btf = bpf_pointer(btf), .size = size};
    tracer->btf_fd = bpf_call_allocating(BPF_BTF_LOAD, &attr, sizeof(attr));
    err = tracer->btf_fd < 0 ? tracer->btf_fd : 0;
    free(btf);
  }
  if (err)
    report(REPORT_ERROR, NULL, 0, "bpf: load BTF: %s%s", report_cause(err), report_privilege_hint(err));
  return err;
}

// The relocations that are left to the kernel. Returns their number, 0 with *records NULL if there is none, or -ENOMEM.
static int make_core_records(const struct tracer *tracer, const struct pb_program *program, struct bpf_core_relo **records) {
  int count = 0;
  *records = NULL;
  if (!tracer->kernel_applies_core)
    return 0;
  *records = malloc((program->relocations_count + 1) * sizeof(**records));
  if (!*records)
    return -ENOMEM;
  for (uint32_t i = 0; i < program->relocations_count; i++) {
    const struct pb_relocation *relocation = &program->relocations[i];
    if (tracer->constants[relocation->constant].state != CONSTANT_KERNEL)
      continue;
    const struct pb_core_relocation *core = tracer->resources->constants[relocation->constant].core;
    (*records)[count++] = (struct bpf_core_relo){
        .insn_off = relocation->instruction * (uint32_t)sizeof(struct bpf_insn),
        .type_id = core->btf_type,
        .access_str_off = access_string_offset(tracer->resources, relocation->constant),
        .kind = core->kind,
    };
  }
  return count;
}

// Finds out whether the verifier came to a call that stands for an absent constant. Returns the relocation that it was for.
static const struct pb_relocation *find_absent(const struct pb_program *program, const char *log) {
  // The log has the line "12: (85) call unknown#195896080".
  char poison[32];
  small_snprintf(poison, sizeof(poison), "call unknown#%d", CONSTANT_POISON);
  const char *line = NULL;
  for (const char *at = log; (at = strstr(at, poison)); at++)
    line = at;
  while (line && line > log && line[-1] != '\n')
    line--;
  if (!line || *line < '0' || *line > '9')
    return NULL;
  uint32_t instruction = (uint32_t)strtoul(line, NULL, 10);
  for (uint32_t i = 0; i < program->relocations_count; i++) {
    // A 64-bit load has become two calls.
    uint32_t at = program->relocations[i].instruction;
    if (at == instruction || at + 1 == instruction)
      return &program->relocations[i];
  }
  return NULL;
}

// The end of the log without the statistics: what the verifier did not like.
static const char *summarize(char *log) {
  size_t length = strlen(log);
  char *statistics = strstr(log, "\nprocessed ");
  char *next = statistics ? strchr(statistics + 1, '\n') : NULL;
  if (statistics && (!next || !next[1]))
    length = (size_t)(statistics - log);
  while (length && log[length - 1] == '\n')
    length--;
  log[length] = 0;
  const char *start = log + length;
  for (int lines = 0; start > log; start--)
    if (start[-1] == '\n' && ++lines == LOG_SUMMARY_LINES)
      break;
  return start;
}

static void report_requirements(const struct tracer *tracer) {
  uint32_t version = host_kernel_version();
  for (uint32_t i = 0; version && i < tracer->resources->requirements_count; i++) {
    const struct pb_requirement *requirement = &tracer->resources->requirements[i];
    if (requirement->least_kernel > version)
      report(REPORT_ERROR, tracer->resources, requirement->span, "bpf: %s: needs Linux %u.%u or newer, this is %s",
             requirement->feature, requirement->least_kernel >> 16, requirement->least_kernel >> 8 & 0xff, host_release());
  }
}

static void report_failure(struct tracer *tracer, const struct pb_program *program, int err, char *log) {
  if (tracer->options.verbose || tracer->options.debug_verifier) {
    ssize_t ignored = write(STDERR_FILENO, log, strlen(log));
    (void)ignored;
  }
  const struct pb_relocation *absent = find_absent(program, log);
  if (absent) {
    constant_report_absent(tracer, &tracer->resources->constants[absent->constant]);
    return;
  }
  report(REPORT_ERROR, tracer->resources, program->span, "bpf: load program %s: %s%s", program->name, report_cause(err),
         *log ? "" : report_privilege_hint(err));
  if (*log)
    report_line("The verifier says (-v shows its whole log):\n%s", summarize(log));
  report_requirements(tracer);
}

// Loads again with a log. The first try goes without: writing it takes longer than the verification.
static int load_with_log(struct tracer *tracer, const struct pb_program *program, struct bpf_prog_load_attr *attr) {
  uint64_t wanted = tracer->resources->config->log_size;
  uint32_t size = wanted > LOG_SIZE && wanted <= MAX_LOG_SIZE ? (uint32_t)wanted : LOG_SIZE;
  char *log = NULL;
  int fd;
  do {  // kernels before 6.4 fail with ENOSPC when the log does not fit
    free(log);
    log = calloc(1, size);
    if (!log)
      return -ENOMEM;
    attr->log_level = LOG_LEVEL;
    attr->log_size = size;
    attr->log_buf = bpf_pointer(log);
    fd = bpf_call_allocating(BPF_PROG_LOAD, attr, sizeof(*attr));
    log[size - 1] = 0;
    size *= 4;
  } while (fd == -ENOSPC && size <= MAX_LOG_SIZE);
  if (fd < 0)
    report_failure(tracer, program, fd, log);
  else if (tracer->options.debug_verifier)
    report_line("Processing log of program %s:\n%s", program->name, log);
  free(log);
  return fd;
}

// A program that is loaded for one target has no need to ask for its cookie: the calls become the number itself. (The kernel
// either does not hand out any, or not for such links.)
static void put_cookie(struct bpf_insn *instructions, uint32_t count, uint64_t cookie) {
  for (uint32_t i = 0; i < count; i++)
    if (instructions[i].code == BPF_OPCODE_CALL && !(instructions[i].registers >> 4) && instructions[i].imm == BPF_FUNC_GET_ATTACH_COOKIE)
      instructions[i] = (struct bpf_insn){.code = BPF_OPCODE_MOV64_IMM, .imm = (int32_t)cookie};
}

// Loads a program for a target: its own, or the first one of those that share it. Returns the fd or a negative errno, after reporting
// unless it `may_fail` (which is shown all the same where the verifier's log is asked for).
static int load_for(struct tracer *tracer, const struct pb_program *program, const struct target *target, bool may_fail) {
  const struct pb_probe *probe = &tracer->resources->probes[target->probe];
  const struct attach_family *family = attach_family_of(probe);
  struct bpf_core_relo *records = NULL;
  int fd = -ENOMEM;
  struct bpf_insn *instructions = malloc(program->instructions.size);
  struct bpf_func_info *functions = malloc(program->functions_count * sizeof(*functions));
  if (!instructions || !functions)
    goto out;
  memcpy(instructions, program->instructions.data, program->instructions.size);
  constants_apply(tracer, program, instructions);
  if (program->uses_cookie && attach_is_per_target(tracer, probe))
    put_cookie(instructions, program->instructions.size / (uint32_t)sizeof(*instructions), attach_cookie(tracer, target));
  for (uint32_t i = 0; i < program->functions_count; i++)
    functions[i] = (struct bpf_func_info){program->functions[i].instruction, program->functions[i].btf_type};
  int records_count = make_core_records(tracer, program, &records);
  if (records_count < 0)
    goto out;

  struct bpf_prog_load_attr attr = {
      .prog_type = program->bpf_type,
      .insn_cnt = program->instructions.size / (uint32_t)sizeof(struct bpf_insn),
      .insns = bpf_pointer(instructions),
      .license = bpf_pointer(tracer->resources->config->license),
      .prog_flags = program->flags,
      .expected_attach_type = program->expected_attach_type,
      .prog_btf_fd = (uint32_t)tracer->btf_fd,
      .func_info_rec_size = sizeof(struct bpf_func_info),
      .func_info = bpf_pointer(functions),
      .func_info_cnt = program->functions_count,
  };
  if (records_count) {  // older kernels refuse the fields unless they are zero
    attr.core_relo_cnt = (uint32_t)records_count;
    attr.core_relos = bpf_pointer(records);
    attr.core_relo_rec_size = sizeof(*records);
  }
  memcpy(attr.prog_name, program->name, strlen(program->name));
  fd = family->prepare ? family->prepare(tracer, probe, target, &attr) : 0;
  if (fd)
    goto out;
  fd = tracer->options.debug_verifier ? -EAGAIN : bpf_call_allocating(BPF_PROG_LOAD, &attr, sizeof(attr));
  if (fd < 0 && (!may_fail || tracer->options.debug_verifier))
    fd = load_with_log(tracer, program, &attr);
  if (attr.attach_object_fd)
    close((int)attr.attach_object_fd);
out:
  free(records);
  free(functions);
  free(instructions);
  return fd;
}

static int load_probe(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  const struct pb_program *program = &tracer->resources->programs[probe->program];
  int *shared = &tracer->programs[probe->program].fd;
  uint32_t count;
  struct target *targets = attach_targets(tracer, index, &count);
  bool loads_each = attach_is_per_target(tracer, probe);
  uint32_t failed = 0;
  for (uint32_t i = 0; i < count; i++) {
    int *place = loads_each ? &targets[i].program_fd : shared;
    if (*place >= 0)
      continue;
    // The kernel may refuse some of the functions that match a pattern; if it refuses all, the program is at fault.
    bool may_fail = loads_each && probe->has_wildcard && failed + 1 < count;
    int fd = load_for(tracer, program, &targets[i], may_fail);
    if (fd < 0 && !may_fail)
      return fd;
    failed += fd < 0;
    *place = fd < 0 ? -1 : fd;
  }
  return 0;
}

int load_programs(struct tracer *tracer) {
  uint32_t count = tracer->resources->programs_count;
  tracer->programs = calloc(count ? count : 1, sizeof(*tracer->programs));
  if (!tracer->programs)
    return -ENOMEM;
  for (uint32_t i = 0; i < count; i++)
    tracer->programs[i].fd = -1;
  int err = 0;
  for (uint32_t i = 0; !err && i < tracer->resources->probes_count; i++)
    err = load_probe(tracer, i);
  return err;
}

void load_close(struct tracer *tracer) {
  for (uint32_t i = 0; tracer->programs && i < tracer->resources->programs_count; i++)
    if (tracer->programs[i].fd >= 0)
      close(tracer->programs[i].fd);
  free(tracer->programs);
  tracer->programs = NULL;
  if (tracer->btf_fd >= 0)
    close(tracer->btf_fd);
  tracer->btf_fd = -1;
}
