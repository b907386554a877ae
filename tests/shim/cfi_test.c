// Call frame information: written by hand, that of this program, and what comes of changing it.
#include <stdlib.h>
#include <string.h>

#include "shim/unwind/cfi.h"
#include "shim/user/elf.h"
#include "tests/shim/check.h"

enum { MUTATIONS = 400, SECTION_ADDRESS = 0x2000, FUNCTION = 0x1000, FUNCTION_SIZE = 0x100 };

// Words of struct pt_regs.
enum { RBP = 4, RBX = 5, RDI = 14, RIP = 16, RSP = 19 };

static uint8_t data[1024];
static size_t size;

static void put(const void *bytes, size_t count) {
  memcpy(data + size, bytes, count);
  size += count;
}

static void put_number(uint64_t number, unsigned bytes) {
  put(&number, bytes);
}

// An entry of which the length is known when it ends.
static size_t begin_entry(void) {
  size_t start = size;
  put_number(0, 4);
  return start;
}

static void end_entry(size_t start) {
  uint32_t length = (uint32_t)(size - start - 4);
  memcpy(data + start, &length, sizeof(length));
}

// CFA = rsp + 8, return address at CFA - 8; addresses are 4 bytes and relative.
static void put_common(const char *augmentation) {
  static const uint8_t start[] = {0x0c, 7, 8, 0x90, 1};
  size_t entry = begin_entry();
  put_number(0, 4);
  put_number(1, 1);
  put(augmentation, strlen(augmentation) + 1);
  put_number(1, 1);     // alignment of code
  put_number(0x78, 1);  // of data: -8
  put_number(16, 1);    // return address
  put_number(1, 1);     // size of the augmentation
  put_number(0x1b, 1);
  put(start, sizeof(start));
  end_entry(entry);
}

static void put_function(uint64_t address, uint32_t length, const void *program, size_t program_size) {
  size_t entry = begin_entry();
  put_number(size, 4);  // how far back its common entry is, the first one
  put_number(address - (SECTION_ADDRESS + size), 4);
  put_number(length, 4);
  put_number(0, 1);
  put(program, program_size);
  end_entry(entry);
}

static struct unwind_table table;

static int read_table(const uint8_t *bytes, size_t count, uint64_t address, bool is_debug) {
  const struct cfi_section section = {.data = bytes, .size = count, .address = address, .is_debug = is_debug};
  int err = unwind_table_open(&table);
  if (!err)
    err = cfi_read(&section, &table);
  return err ? err : unwind_table_finish(&table);
}

// As programs search.
static const struct unwind_rule *rule_at(uint64_t address) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < table.rows_count; i++) {
    CHECK(!i || table.rows[i].address > table.rows[i - 1].address);
    CHECK(table.rows[i].rule < table.rules_count);
    if (table.base + table.rows[i].address <= address)
      found = table.rows[i].rule;
  }
  return &table.rules[found];
}

static bool is_cfa(const struct unwind_rule *rule, unsigned kind, unsigned reg, int32_t offset, int32_t addend) {
  return rule->cfa == kind && rule->cfa_register == reg && rule->cfa_offset == offset && rule->cfa_addend == addend;
}

static bool has_saved(const struct unwind_rule *rule, unsigned reg, unsigned place, int32_t offset) {
  for (unsigned i = 0; i < rule->count; i++)
    if (rule->saved[i] == (place | reg << 3 | (uint32_t)offset << 8))
      return true;
  return false;
}

static bool is_unknown(const struct unwind_rule *rule) {
  return rule->cfa == UNWIND_CFA_UNKNOWN && !rule->count && !rule->lost;
}

// One function with that program, of which the rule at its end is looked at.
static const struct unwind_rule *rule_of(const char *augmentation, const void *program, size_t program_size) {
  unwind_table_close(&table);
  size = 0;
  put_common(augmentation);
  put_function(FUNCTION, FUNCTION_SIZE, program, program_size);
  CHECK(!read_table(data, size, SECTION_ADDRESS, false));
  return rule_at(FUNCTION + FUNCTION_SIZE - 1);
}

static void rows_of_a_function(void) {
  static const uint8_t program[] = {
      0x41, 0x0e, 16, 0x86, 2,    // 1 on: CFA = rsp + 16, rbp at CFA - 16
      0x43, 0x0d, 6, 0x83, 3,     // 4 on: CFA = rbp + 16, rbx at CFA - 24
      0x02, 0x20, 0x0a, 0xc6,     // 0x24 on: rbp as it was
      0x03, 0x10, 0x00, 0x0b,     // 0x34 on: what was remembered
  };
  rule_of("zR", program, sizeof(program));
  CHECK(is_unknown(rule_at(FUNCTION - 1)));
  CHECK(is_cfa(rule_at(FUNCTION), UNWIND_CFA_REGISTER, RSP, 8, 0) && rule_at(FUNCTION)->count == 1);
  CHECK(has_saved(rule_at(FUNCTION), RIP, UNWIND_AT_CFA, -8));
  CHECK(is_cfa(rule_at(FUNCTION + 1), UNWIND_CFA_REGISTER, RSP, 16, 0));
  CHECK(has_saved(rule_at(FUNCTION + 3), RBP, UNWIND_AT_CFA, -16));
  CHECK(is_cfa(rule_at(FUNCTION + 4), UNWIND_CFA_REGISTER, RBP, 16, 0));
  CHECK(has_saved(rule_at(FUNCTION + 4), RBX, UNWIND_AT_CFA, -24));
  CHECK(rule_at(FUNCTION + 0x24)->count == 2 && !has_saved(rule_at(FUNCTION + 0x24), RBP, UNWIND_AT_CFA, -16));
  CHECK(rule_at(FUNCTION + 0x34) == rule_at(FUNCTION + 4));
  CHECK(!is_unknown(rule_at(FUNCTION + FUNCTION_SIZE - 1)));
  CHECK(is_unknown(rule_at(FUNCTION + FUNCTION_SIZE)));
  CHECK(table.rules_count == 5);
}

static void functions_that_touch(void) {
  static const uint8_t program[] = {0x0e, 24};
  unwind_table_close(&table);
  size = 0;
  put_common("zR");
  put_function(FUNCTION + 0x10, 0x10, program, sizeof(program));
  put_function(FUNCTION, 0x10, "", 0);
  put_number(0, 4);  // what ends a section; others may follow where several were linked
  put_function(FUNCTION + 0x20, 0x10, program, sizeof(program));
  CHECK(!read_table(data, size, SECTION_ADDRESS, false));
  CHECK(rule_at(FUNCTION + 0xf)->cfa_offset == 8);
  CHECK(rule_at(FUNCTION + 0x10)->cfa_offset == 24);
  CHECK(rule_at(FUNCTION + 0x2f)->cfa_offset == 24);
  CHECK(table.rows_count == 3);  // the end of all is the third
}

static void expressions(void) {
  static const uint8_t linkage[] = {0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
  CHECK(is_cfa(rule_of("zR", linkage, sizeof(linkage)), UNWIND_CFA_LINKAGE, RSP, 8, 11));
  static const uint8_t aligned[] = {0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0};
  CHECK(is_cfa(rule_of("zR", aligned, sizeof(aligned)), UNWIND_CFA_MEMORY, RBP, -8, 0));
  CHECK(has_saved(rule_at(FUNCTION), RBP, UNWIND_AT_FRAME_POINTER, 0));
  static const uint8_t added[] = {0x0f, 6, 0x77, 0x80, 1, 0x06, 0x23, 8};
  CHECK(is_cfa(rule_of("zR", added, sizeof(added)), UNWIND_CFA_MEMORY, RSP, 128, 8));
  static const uint8_t plain[] = {0x0f, 2, 0x73, 16};
  CHECK(is_cfa(rule_of("zR", plain, sizeof(plain)), UNWIND_CFA_REGISTER, RBX, 16, 0));
  static const uint8_t other[] = {0x0f, 3, 0x77, 8, 0x96};
  CHECK(is_unknown(rule_of("zR", other, sizeof(other))));
  static const uint8_t return_address[] = {0x10, 16, 3, 0x77, 8, 0x96};
  CHECK(is_unknown(rule_of("zR", return_address, sizeof(return_address))));
  static const uint8_t preserved[] = {0x10, 3, 3, 0x77, 8, 0x96};
  CHECK(rule_of("zR", preserved, sizeof(preserved))->lost == 1u << RBX);
}

static void places(void) {
  static const uint8_t end[] = {0x07, 16};
  CHECK(rule_of("zR", end, sizeof(end))->lost == 1u << RIP);
  static const uint8_t value[] = {0x14, 7, 2};
  CHECK(has_saved(rule_of("zR", value, sizeof(value)), RSP, UNWIND_IS_CFA, -16));
  static const uint8_t copy[] = {0x09, 16, 5};
  CHECK(has_saved(rule_of("zR", copy, sizeof(copy)), RIP, UNWIND_IN_REGISTER, RDI));
  // They are made one after the other: a copy of what another one has changed would be wrong.
  static const uint8_t copies[] = {0x09, 16, 5, 0x09, 5, 2};
  CHECK(is_unknown(rule_of("zR", copies, sizeof(copies))));
  static const uint8_t vector[] = {0x91, 3, 0x05, 0x80, 1, 2};
  CHECK(rule_of("zR", vector, sizeof(vector))->count == 1);
  static const uint8_t far[] = {0x11, 3, 0x80, 0x80, 0x80, 1};
  CHECK(rule_of("zR", far, sizeof(far))->lost == 1u << RBX);
}

static void signal_frames(void) {
  static const uint8_t program[] = {0x0f, 4, 0x77, 0xa0, 1, 0x06, 0x10, 16, 3, 0x77, 0xa8, 1};
  const struct unwind_rule *rule = rule_of("zRS", program, sizeof(program));
  CHECK(rule->is_signal && is_cfa(rule, UNWIND_CFA_MEMORY, RSP, 160, 0));
  CHECK(has_saved(rule, RIP, UNWIND_AT_STACK_POINTER, 168));
}

// .debug_frame: common entries have another number, and are where others say in the section; addresses are whole.
static void debug_frames(void) {
  static const uint8_t start[] = {0x0c, 7, 8, 0x90, 1}, program[] = {0x41, 0x0e, 16};
  unwind_table_close(&table);
  size = 0;
  size_t common = begin_entry();
  put_number(UINT32_MAX, 4);
  put_number(4, 1);
  put("", 1);
  put_number(0x08, 2);  // sizes of addresses and segments
  put_number(1, 1);
  put_number(0x78, 1);
  put_number(16, 1);
  put(start, sizeof(start));
  end_entry(common);
  put_number(UINT32_MAX, 4);  // an entry whose numbers have 64 bits
  put_number(8 + 8 + 8 + sizeof(program), 8);
  put_number(0, 8);
  put_number(FUNCTION, 8);
  put_number(FUNCTION_SIZE, 8);
  put(program, sizeof(program));
  CHECK(!read_table(data, size, 0, true));
  CHECK(is_cfa(rule_at(FUNCTION), UNWIND_CFA_REGISTER, RSP, 8, 0));
  CHECK(is_cfa(rule_at(FUNCTION + FUNCTION_SIZE - 1), UNWIND_CFA_REGISTER, RSP, 16, 0));
}

static void damage(void) {
  static const uint8_t unknown[] = {0x42, 0x3f, 0x44};
  rule_of("zR", unknown, sizeof(unknown));
  CHECK(!is_unknown(rule_at(FUNCTION + 1)));
  CHECK(is_unknown(rule_at(FUNCTION + 2)));
  static const uint8_t too_much[] = {0x0b};
  CHECK(is_unknown(rule_of("zR", too_much, sizeof(too_much))));
  static const uint8_t cut[] = {0x0f, 100, 0x77};
  CHECK(is_unknown(rule_of("zR", cut, sizeof(cut))));
  uint8_t nested[40];
  memset(nested, 0x0a, sizeof(nested));
  CHECK(is_unknown(rule_of("zR", nested, sizeof(nested))));
  CHECK(is_unknown(rule_of("eh", "", 0)));
}

// Those of this program are as its compiler has written them.
static struct cfi_section own;

static int find_section(void *context, const char *name, const struct elf_section *section) {
  (void)context;
  if (strcmp(name, ".eh_frame") != 0 || !section->data)
    return 0;
  own = (struct cfi_section){.data = section->data, .size = section->size, .address = section->address};
  return 1;
}

static void own_functions(void) {
  uint64_t address, length;
  struct elf elf;
  CHECK(!elf_open("/proc/self/exe", &elf) && elf_each_section(&elf, find_section, NULL));
  unwind_table_close(&table);
  CHECK(!read_table(own.data, own.size, own.address, false));
  CHECK(table.rows_count > 500 && table.rules_count > 10 && table.rules_count < table.rows_count);
  CHECK(elf_find_symbol(&elf, "main", &address, &length));
  CHECK(is_cfa(rule_at(address), UNWIND_CFA_REGISTER, RSP, 8, 0));
  CHECK(!is_unknown(rule_at(address + length - 1)));
  elf_close(&elf);
}

static void mutations_are_harmless(void) {
  struct elf elf;
  CHECK(!elf_open("/proc/self/exe", &elf) && elf_each_section(&elf, find_section, NULL));
  size_t part = own.size < 20000 ? own.size : 20000;
  uint8_t *copy = malloc(part);
  for (int i = 0; copy && i < MUTATIONS; i++) {
    memcpy(copy, own.data, part);
    for (uint32_t changes = 1 + random_below(8); changes; changes--)
      copy[random_below((uint32_t)part)] = (uint8_t)random_below(256);
    unwind_table_close(&table);
    int err = read_table(copy, random_below(2) ? part : random_below((uint32_t)part), own.address, i % 4 == 0);
    CHECK(!err || table.rows_count == 0);
    rule_at(own.address);
  }
  free(copy);
  elf_close(&elf);
}

int main(void) {
  CHECK_CASE(rows_of_a_function);
  CHECK_CASE(functions_that_touch);
  CHECK_CASE(expressions);
  CHECK_CASE(places);
  CHECK_CASE(signal_frames);
  CHECK_CASE(debug_frames);
  CHECK_CASE(damage);
  CHECK_CASE(own_functions);
  CHECK_CASE(mutations_are_harmless);
  unwind_table_close(&table);
  return check_result();
}
