#include "shim/unwind/rules.h"

#include <string.h>

#include "shim/debug/bytes.h"

// The numbers of the System V ABI for x86-64, as words of struct pt_regs.
static const uint8_t words[CFI_REGISTERS] = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16};

enum {
  FRAME_POINTER = 6,
  MOST_OFFSET = 1 << 23,
  OP_DEREF = 0x06,
  OP_PLUS_UCONST = 0x23,
  OP_BREG0 = 0x70,
};

static bool fits(int64_t offset) {
  return offset >= -MOST_OFFSET && offset < MOST_OFFSET;
}

static struct bytes expression_bytes(const struct cfi_place *place) {
  const uint8_t *start = place->expression;
  return (struct bytes){.start = start, .at = start, .end = start + place->expression_size};
}

// An expression that is or begins with "register + offset".
static bool read_base(struct bytes *bytes, unsigned *number, int64_t *offset) {
  uint64_t operation = bytes_number(bytes, 1);
  if (operation < OP_BREG0 || operation >= OP_BREG0 + CFI_RETURN_ADDRESS)
    return false;
  *number = (unsigned)(operation - OP_BREG0);
  *offset = bytes_signed(bytes);
  return !bytes->is_bad;
}

// What linkers write for procedure linkage tables: rsp + 8 + ((rip & 15) >= N) * 8, where N depends on their layout.
static bool read_linkage(struct bytes bytes, struct unwind_rule *rule) {
  static const uint8_t pattern[] = {0x80, 0x00, 0x3f, 0x1a, 0x30, 0x2a, 0x33, 0x24, 0x22};
  // breg16 0, lit15, and, litN, ge, lit3, shl, plus
  if (bytes.end - bytes.at != sizeof(pattern))
    return false;
  for (size_t i = 0; i < sizeof(pattern); i++) {
    bool is_literal = i == 4;
    if (is_literal ? bytes.at[i] < 0x30 || bytes.at[i] > 0x4f : bytes.at[i] != pattern[i])
      return false;
  }
  rule->cfa = UNWIND_CFA_LINKAGE;
  rule->cfa_addend = bytes.at[4] - 0x30;
  return true;
}

static void set_cfa_expression(const struct cfi_place *place, struct unwind_rule *rule) {
  struct bytes bytes = expression_bytes(place);
  unsigned number;
  int64_t offset, addend = 0;
  if (!read_base(&bytes, &number, &offset) || !fits(offset))
    return;
  rule->cfa_register = words[number];
  rule->cfa_offset = (int32_t)offset;
  if (bytes.at == bytes.end) {
    rule->cfa = UNWIND_CFA_REGISTER;
    return;
  }
  if (read_linkage(bytes, rule) || bytes_number(&bytes, 1) != OP_DEREF)
    return;
  if (bytes.at < bytes.end) {
    if (bytes_number(&bytes, 1) != OP_PLUS_UCONST)
      return;
    addend = (int64_t)bytes_unsigned(&bytes);
  }
  if (bytes.is_bad || bytes.at != bytes.end || !fits(addend))
    return;
  rule->cfa = UNWIND_CFA_MEMORY;
  rule->cfa_addend = (int32_t)addend;
}

static void set_cfa(const struct cfi_row *row, struct unwind_rule *rule) {
  if (row->cfa.kind == CFI_EXPRESSION) {
    set_cfa_expression(&row->cfa, rule);
  } else if (row->cfa.kind == CFI_REGISTER && row->cfa.number >= 0 && row->cfa.number < CFI_RETURN_ADDRESS &&
             fits(row->cfa_offset)) {
    rule->cfa = UNWIND_CFA_REGISTER;
    rule->cfa_register = words[row->cfa.number];
    rule->cfa_offset = (int32_t)row->cfa_offset;
  }
}

static bool save(struct unwind_rule *rule, unsigned number, enum unwind_place place, int64_t offset) {
  if (!fits(offset) || rule->count == UNWIND_SAVED)
    return false;
  rule->saved[rule->count++] = (uint32_t)place | (uint32_t)words[number] << 3 | (uint32_t)offset << 8;
  return true;
}

static bool save_at_expression(struct unwind_rule *rule, unsigned number, const struct cfi_place *place) {
  struct bytes bytes = expression_bytes(place);
  unsigned base;
  int64_t offset;
  if (!read_base(&bytes, &base, &offset) || bytes.at != bytes.end)
    return false;
  return (base == CFI_STACK_POINTER && save(rule, number, UNWIND_AT_STACK_POINTER, offset)) ||
         (base == FRAME_POINTER && save(rule, number, UNWIND_AT_FRAME_POINTER, offset));
}

// Copies are made first, one after the other: the source must not be the target of another, nor the stack pointer.
static bool save_copy(struct unwind_rule *rule, unsigned number, const struct cfi_place *place) {
  if (place->number < 0 || place->number >= CFI_RETURN_ADDRESS || place->number == CFI_STACK_POINTER)
    return false;
  for (unsigned i = 0; i < rule->count; i++)
    if ((rule->saved[i] >> 3 & 31) == words[place->number])
      return false;
  return save(rule, number, UNWIND_IN_REGISTER, words[place->number]);
}

static bool save_place(struct unwind_rule *rule, unsigned number, const struct cfi_place *place) {
  switch (place->kind) {
    case CFI_OFFSET:
      return save(rule, number, UNWIND_AT_CFA, place->number);
    case CFI_VALUE_OFFSET:
      return save(rule, number, UNWIND_IS_CFA, place->number);
    case CFI_REGISTER:
      return save_copy(rule, number, place);
    case CFI_EXPRESSION:
      return save_at_expression(rule, number, place);
    default:
      return false;
  }
}

static void save_places(const struct cfi_row *row, struct unwind_rule *rule, bool copies) {
  for (unsigned i = 0; i < CFI_REGISTERS; i++) {
    const struct cfi_place *place = &row->registers[i];
    if (place->kind != CFI_UNSPECIFIED && (place->kind == CFI_REGISTER) == copies && !save_place(rule, i, place))
      rule->lost |= 1u << words[i];
  }
}

void cfi_rule(const struct cfi_row *row, bool is_signal, struct unwind_rule *rule) {
  static const struct unwind_rule nothing;
  *rule = nothing;
  set_cfa(row, rule);
  rule->is_signal = is_signal;
  save_places(row, rule, true);
  save_places(row, rule, false);
  enum cfi_kind caller = row->registers[CFI_RETURN_ADDRESS].kind;
  bool loses_caller = rule->lost & 1u << words[CFI_RETURN_ADDRESS];
  if (rule->cfa == UNWIND_CFA_UNKNOWN || caller == CFI_UNSPECIFIED || (loses_caller && caller != CFI_UNDEFINED))
    *rule = nothing;
}
