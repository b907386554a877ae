#include "shim/unwind/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct unwind_rule) == 88, "UNWIND_RULES of required_resources.proto");

enum { FIRST_SLOTS = 256 };

static uint32_t hash(const struct unwind_rule *rule) {
  // FNV-1a
  uint32_t value = 2166136261u;
  const uint8_t *bytes = (const uint8_t *)rule;
  for (size_t i = 0; i < sizeof(*rule); i++)
    value = (value ^ bytes[i]) * 16777619u;
  return value;
}

// The slot that has the rule, or the free one where it belongs.
static uint32_t *find_slot(const struct unwind_table *table, const struct unwind_rule *rule) {
  uint32_t mask = table->slots_count - 1, at = hash(rule) & mask;
  while (table->slots[at] && memcmp(&table->rules[table->slots[at] - 1], rule, sizeof(*rule)) != 0)
    at = (at + 1) & mask;
  return &table->slots[at];
}

static int grow_slots(struct unwind_table *table) {
  uint32_t count = table->slots_count ? 2 * table->slots_count : FIRST_SLOTS;
  uint32_t *slots = calloc(count, sizeof(*slots));
  if (!slots)
    return -ENOMEM;
  free(table->slots);
  table->slots = slots;
  table->slots_count = count;
  for (uint32_t i = 0; i < table->rules_count; i++)
    *find_slot(table, &table->rules[i]) = i + 1;
  return 0;
}

// Makes room for one more item of `size` bytes in *items.
static int reserve(void **items, uint32_t count, uint32_t *room, size_t size) {
  if (count < *room)
    return 0;
  uint32_t larger = *room ? 2 * *room : 256;
  void *moved = realloc(*items, larger * size);
  if (!moved)
    return -ENOMEM;
  *items = moved;
  *room = larger;
  return 0;
}

static int add_rule(struct unwind_table *table, const struct unwind_rule *rule, uint32_t *index) {
  int err = 2 * table->rules_count >= table->slots_count ? grow_slots(table) : 0;
  if (err)
    return err;
  uint32_t *slot = find_slot(table, rule);
  if (!*slot) {
    void *rules = table->rules;
    err = reserve(&rules, table->rules_count, &table->rules_room, sizeof(*rule));
    table->rules = rules;
    if (err)
      return err;
    table->rules[table->rules_count++] = *rule;
    *slot = table->rules_count;
  }
  *index = *slot - 1;
  return 0;
}

static int add_entry(struct unwind_table *table, uint64_t address, uint32_t rule) {
  if (table->entries_count == UNWIND_MOST_ROWS)
    return -E2BIG;
  void *entries = table->entries;
  int err = reserve(&entries, table->entries_count, &table->entries_room, sizeof(*table->entries));
  table->entries = entries;
  if (err)
    return err;
  table->entries[table->entries_count] = (struct unwind_entry){address, rule, table->entries_count};
  table->entries_count++;
  return 0;
}

int unwind_table_open(struct unwind_table *table) {
  static const struct unwind_rule nothing;
  uint32_t index;
  *table = (struct unwind_table){0};
  return add_rule(table, &nothing, &index);
}

void unwind_table_close(struct unwind_table *table) {
  free(table->rows);
  free(table->rules);
  free(table->entries);
  free(table->slots);
  *table = (struct unwind_table){0};
}

int unwind_table_add(struct unwind_table *table, uint64_t address, const struct unwind_rule *rule) {
  uint32_t index = 0;
  int err = add_rule(table, rule, &index);
  return err ? err : add_entry(table, address, index);
}

int unwind_table_end(struct unwind_table *table, uint64_t address) {
  return add_entry(table, address, 0);
}

// By address; at one address the end of a function comes before what begins there, and that in the order of the file.
static int compare(const void *a, const void *b) {
  const struct unwind_entry *left = a, *right = b;
  if (left->address != right->address)
    return left->address < right->address ? -1 : 1;
  if (!left->rule != !right->rule)
    return left->rule ? 1 : -1;
  return left->order < right->order ? -1 : 1;
}

int unwind_table_finish(struct unwind_table *table) {
  uint32_t count = table->entries_count;
  struct unwind_entry *entries = table->entries;
  if (!count)
    return 0;
  qsort(entries, count, sizeof(*entries), compare);
  table->base = entries[0].address;
  if (entries[count - 1].address - table->base > UINT32_MAX)
    return -EFBIG;
  table->rows = malloc(count * sizeof(*table->rows));
  if (!table->rows)
    return -ENOMEM;
  uint32_t rule = UINT32_MAX;  // of the last row
  for (uint32_t i = 0; i < count; i++) {
    bool is_last_at_address = i + 1 == count || entries[i + 1].address != entries[i].address;
    if (!is_last_at_address || entries[i].rule == rule)
      continue;
    rule = entries[i].rule;
    table->rows[table->rows_count++] = (struct unwind_row){(uint32_t)(entries[i].address - table->base), rule};
  }
  return 0;
}
