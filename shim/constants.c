#include "shim/constants.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/host.h"
#include "shim/report.h"

// Features that may be missing: see features.h.
#pragma weak shim_constant_map
#pragma weak shim_constant_map_value
#pragma weak shim_constant_core
#pragma weak shim_constant_tracepoint_field
#pragma weak shim_constant_kernel_symbol
#pragma weak shim_constant_kernel_variable
#pragma weak shim_constant_kfunc
#pragma weak shim_constant_user_symbol
#pragma weak shim_constant_cgroup_id
#pragma weak shim_constant_host
#pragma weak shim_constant_parameter
#pragma weak shim_constant_kfunc_test

static const struct constant_family *const families[] = {
    [PB_CONSTANT_KIND_MAP] = &shim_constant_map,
    [PB_CONSTANT_KIND_MAP_VALUE] = &shim_constant_map_value,
    [PB_CONSTANT_KIND_CORE] = &shim_constant_core,
    [PB_CONSTANT_KIND_TRACEPOINT_FIELD] = &shim_constant_tracepoint_field,
    [PB_CONSTANT_KIND_KERNEL_SYMBOL] = &shim_constant_kernel_symbol,
    [PB_CONSTANT_KIND_KERNEL_VARIABLE] = &shim_constant_kernel_variable,
    [PB_CONSTANT_KIND_KFUNC] = &shim_constant_kfunc,
    [PB_CONSTANT_KIND_USER_SYMBOL] = &shim_constant_user_symbol,
    [PB_CONSTANT_KIND_CGROUP_ID] = &shim_constant_cgroup_id,
    [PB_CONSTANT_KIND_HOST] = &shim_constant_host,
    [PB_CONSTANT_KIND_PARAMETER] = &shim_constant_parameter,
    [PB_CONSTANT_KIND_KFUNC_TEST] = &shim_constant_kfunc_test,
};

bool constant_is_linked(uint32_t kind_case) {
  return kind_case < sizeof(families) / sizeof(families[0]) && families[kind_case];
}

int constants_resolve(struct tracer *tracer) {
  const struct pb_required_resources *resources = tracer->resources;
  tracer->constants = calloc(resources->constants_count ? resources->constants_count : 1, sizeof(*tracer->constants));
  if (!tracer->constants)
    return -ENOMEM;
  int first_error = 0;
  for (uint32_t i = 0; i < resources->constants_count; i++) {
    const struct pb_constant *constant = &resources->constants[i];
    int err = families[constant->kind_case]->resolve(tracer, constant, &tracer->constants[i]);
    if (err && !first_error)
      first_error = err;
  }
  return first_error;
}

static void set_immediate(struct bpf_insn *instruction, uint8_t source, uint64_t value) {
  instruction->registers = (uint8_t)((instruction->registers & 0x0f) | source << 4);
  instruction[0].imm = (int32_t)(uint32_t)value;
  instruction[1].imm = (int32_t)(uint32_t)(value >> 32);
}

void constants_apply(const struct tracer *tracer, const struct pb_program *program, struct bpf_insn *instructions) {
  for (uint32_t i = 0; i < program->relocations_count; i++) {
    const struct pb_relocation *relocation = &program->relocations[i];
    const struct constant_value *value = &tracer->constants[relocation->constant];
    struct bpf_insn *instruction = &instructions[relocation->instruction];
    switch (value->state) {
      case CONSTANT_KERNEL:
        break;
      case CONSTANT_CALL:
        instruction->registers = BPF_PSEUDO_KFUNC_CALL << 4;
        instruction->off = value->offset;
        instruction->imm = (int32_t)value->immediate;
        break;
      case CONSTANT_IMMEDIATE:
        set_immediate(instruction, value->source, value->immediate);
        break;
      case CONSTANT_RESULT:
        set_immediate(instruction, 0, program->bpf_type == BPF_PROG_TYPE_TRACEPOINT);
        break;
      case CONSTANT_ABSENT:
        if (instruction->code == BPF_OPCODE_LD_IMM64)  // of two instructions
          instruction[1] = (struct bpf_insn){.code = BPF_OPCODE_CALL, .imm = CONSTANT_POISON};
        instruction[0] = (struct bpf_insn){.code = BPF_OPCODE_CALL, .imm = CONSTANT_POISON};
        break;
    }
  }
}

void constant_report_absent(struct tracer *tracer, const struct pb_constant *constant) {
  const struct constant_family *family = families[constant->kind_case];
  char text[256] = "a load-time constant: it";
  if (family->describe)
    family->describe(tracer, constant, text, sizeof(text));
  report(REPORT_ERROR, tracer->resources, constant->span, "%s is not on this kernel (%s)", text, host_release());
}
