// Load-time constants: what only the target host knows, resolved before the programs are loaded.
#ifndef SHIM_CONSTANTS_H
#define SHIM_CONSTANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/kernel.h"
#include "shim/tracer.h"

struct constant_value {
  enum {
    CONSTANT_IMMEDIATE,  // a 64-bit load of `immediate`, with `source` as its source register
    CONSTANT_CALL,       // a kfunc call: `immediate` is the BTF id, `offset` the index into fd_array
    CONSTANT_KERNEL,     // left to the kernel: a CO-RE relocation that it applies itself
    CONSTANT_RESULT,     // what the program returns by its type
    CONSTANT_ABSENT,     // not on this host: an instruction that the verifier refuses, unless a guard makes it unreachable
  } state;
  uint8_t source;  // BPF_PSEUDO_*
  int16_t offset;
  uint64_t immediate;
};

// Resolves one constant. Sets *value and returns 0; or reports why it cannot be resolved and returns a negative errno. For
// CONSTANT_ABSENT it returns 0: constant_describe_absent() is called if it turns out that the program needs it.
typedef int constant_resolver(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value);

struct constant_family {
  constant_resolver *resolve;
  // Says what is absent, such as "struct task_struct.real_parent: not in this kernel's BTF". NULL for a family that never is.
  void (*describe)(struct tracer *tracer, const struct pb_constant *constant, char *text, uint32_t size);
};

// One for every kind of Constant, named after its field: shim_constant_<field>.
extern const struct constant_family shim_constant_map;
extern const struct constant_family shim_constant_map_value;
extern const struct constant_family shim_constant_core;
extern const struct constant_family shim_constant_tracepoint_field;
extern const struct constant_family shim_constant_kernel_symbol;
extern const struct constant_family shim_constant_kernel_variable;
extern const struct constant_family shim_constant_kfunc;
extern const struct constant_family shim_constant_user_symbol;
extern const struct constant_family shim_constant_cgroup_id;
extern const struct constant_family shim_constant_host;
extern const struct constant_family shim_constant_parameter;
extern const struct constant_family shim_constant_kfunc_test;

bool constant_is_linked(uint32_t kind_case);

// Resolves all constants into tracer->constants. Returns 0, or a negative errno after reporting every one that failed.
int constants_resolve(struct tracer *tracer);

// Writes the values into a copy of a program's instructions.
void constants_apply(const struct tracer *tracer, const struct pb_program *program, struct bpf_insn *instructions);

// Fills the map of role TARGET_PLACES. Returns 0 or a negative errno. In constants/user_symbol.c.
int shim_fill_target_places(struct tracer *tracer, int map_fd);

// The immediate of the call that stands for an absent constant: the kernel's own CO-RE code (and libbpf) use it, so it names
// the culprit in the verifier's log in either case.
enum { CONSTANT_POISON = 0xbad2310 };

// Reports, at its place in the script, that `constant` is absent on this host.
void constant_report_absent(struct tracer *tracer, const struct pb_constant *constant);

#endif
