// How the functions of one file are left: rules by address, as programs search for them (UNWIND_ROWS and UNWIND_RULES of
// required_resources.proto).
#ifndef SHIM_UNWIND_TABLE_H
#define SHIM_UNWIND_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum { UNWIND_SAVED = 18, UNWIND_MOST_ROWS = 1 << 22 };

enum unwind_cfa { UNWIND_CFA_UNKNOWN, UNWIND_CFA_REGISTER, UNWIND_CFA_MEMORY, UNWIND_CFA_LINKAGE };

enum unwind_place {
  UNWIND_AT_CFA,            // in memory at CFA + offset
  UNWIND_IS_CFA,            // CFA + offset
  UNWIND_AT_STACK_POINTER,  // in memory at stack pointer + offset
  UNWIND_AT_FRAME_POINTER,
  UNWIND_IN_REGISTER,       // the offset is the register's word
};

// Registers are words of struct pt_regs.
struct unwind_rule {
  uint8_t cfa;
  uint8_t cfa_register;
  uint8_t count;      // of saved
  uint8_t is_signal;
  int32_t cfa_offset;
  int32_t cfa_addend;
  uint32_t lost;      // a bit for each register that cannot be given back
  uint32_t saved[UNWIND_SAVED];
};

struct unwind_row {
  uint32_t address;  // counted from `base`
  uint32_t rule;
};

// A row before it is sorted.
struct unwind_entry {
  uint64_t address;
  uint32_t rule;
  uint32_t order;
};

struct unwind_table {
  uint64_t base;
  struct unwind_row *rows;  // by address; what one has no rule for has rule 0
  uint32_t rows_count;
  struct unwind_rule *rules;  // each once; the first one is zero, which says nothing
  uint32_t rules_count;
  // While it is made:
  struct unwind_entry *entries;
  uint32_t entries_count, entries_room, rules_room;
  uint32_t *slots;  // rules by hash: index + 1
  uint32_t slots_count;
};

// Returns 0 or -ENOMEM. Release with unwind_table_close() in any case.
int unwind_table_open(struct unwind_table *table);
void unwind_table_close(struct unwind_table *table);

// From `address` on the rule holds. Returns 0, -ENOMEM, or -E2BIG for more than UNWIND_MOST_ROWS.
int unwind_table_add(struct unwind_table *table, uint64_t address, const struct unwind_rule *rule);
// From `address` on nothing is known, unless another function begins there.
int unwind_table_end(struct unwind_table *table, uint64_t address);
// Makes `rows`. Returns 0, -ENOMEM, or -EFBIG for code that is more than 4 GB apart.
int unwind_table_finish(struct unwind_table *table);

#endif
