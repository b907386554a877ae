// From what call frame information says of each register to a rule.
#ifndef SHIM_UNWIND_RULES_H
#define SHIM_UNWIND_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/unwind/table.h"

enum { CFI_STACK_POINTER = 7, CFI_RETURN_ADDRESS = 16, CFI_REGISTERS = 17 };

enum cfi_kind {
  CFI_UNSPECIFIED,     // nothing said: as it was
  CFI_UNDEFINED,
  CFI_OFFSET,          // in memory at CFA + number
  CFI_VALUE_OFFSET,    // CFA + number
  CFI_REGISTER,        // in register `number`
  CFI_EXPRESSION,      // in memory where the expression says; of the CFA, what it says
  CFI_VALUE_EXPRESSION,
};

struct cfi_place {
  enum cfi_kind kind;
  int64_t number;
  const uint8_t *expression;
  uint64_t expression_size;
};

// A row of the table that call frame information encodes. The CFA is CFI_REGISTER (with an offset) or CFI_EXPRESSION.
struct cfi_row {
  struct cfi_place cfa;
  int64_t cfa_offset;
  struct cfi_place registers[CFI_REGISTERS];
};

// Makes the rule. Where the row says something that rules cannot, the register is lost; or if that leads to the caller, the rule
// says that nothing is known.
void cfi_rule(const struct cfi_row *row, bool is_signal, struct unwind_rule *rule);

#endif
