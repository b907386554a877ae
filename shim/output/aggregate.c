#include "shim/output/aggregate.h"

#include "shim/output/value.h"

// MIN, MAX, AVG and STATS are two numbers: (value, is_set) and (sum, count).
enum { SECOND = 8 };

struct average {
  uint64_t total;
  uint64_t count;
  uint64_t value;
};

uint64_t aggregate_sum(const struct map_contents *contents, uint32_t entry, uint32_t offset) {
  uint64_t sum = 0;
  for (uint32_t cpu = 0; cpu < contents->cpus; cpu++)
    sum += load_unsigned(map_contents_value(contents, entry, cpu) + offset, 8);
  return sum;
}

static uint64_t combine_integers(const struct pb_type *type, const struct map_contents *contents, uint32_t entry) {
  uint64_t sum = 0;
  for (uint32_t cpu = 0; cpu < contents->cpus; cpu++) {
    const uint8_t *value = map_contents_value(contents, entry, cpu);
    sum += type->is_signed ? (uint64_t)load_signed(value, type->size) : load_unsigned(value, type->size);
  }
  return sum;
}

static uint64_t combine_extremes(const struct pb_type *type, const struct map_contents *contents, uint32_t entry) {
  bool found = false;
  uint64_t best = 0;
  uint64_t flip = type->is_signed ? UINT64_C(1) << 63 : 0;  // makes the order of signed numbers that of unsigned ones
  for (uint32_t cpu = 0; cpu < contents->cpus; cpu++) {
    const uint8_t *data = map_contents_value(contents, entry, cpu);
    if (!load_unsigned(data + SECOND, 8))
      continue;
    uint64_t value = load_unsigned(data, 8);
    bool is_better = type->kind == PB_TYPE_MAX ? (value ^ flip) > (best ^ flip) : (value ^ flip) < (best ^ flip);
    if (!found || is_better)
      best = value;
    found = true;
  }
  return best;
}

static uint64_t divide(uint64_t value, uint64_t divisor, bool is_signed) {
  if (!is_signed)
    return value / divisor;
  bool negative = (int64_t)value < 0;
  uint64_t quotient = (negative ? -value : value) / divisor;
  return negative ? -quotient : quotient;
}

static struct average combine_average(const struct pb_type *type, const struct map_contents *contents, uint32_t entry) {
  struct average average = {
      .total = aggregate_sum(contents, entry, 0),
      .count = aggregate_sum(contents, entry, SECOND),
  };
  if (average.count)
    average.value = divide(average.total, average.count, type->is_signed);
  return average;
}

// The one number of types that have one.
static uint64_t combine(const struct pb_type *type, const struct map_contents *contents, uint32_t entry) {
  switch (type->kind) {
    case PB_TYPE_MIN:
    case PB_TYPE_MAX:
      return combine_extremes(type, contents, entry);
    case PB_TYPE_AVG:
    case PB_TYPE_STATS:
      return combine_average(type, contents, entry).value;
    case PB_TYPE_INTEGER:
      return combine_integers(type, contents, entry);
    default:
      return aggregate_sum(contents, entry, 0);
  }
}

bool aggregate_has_rank(const struct pb_type *type) {
  return type->kind == PB_TYPE_INTEGER || (type->kind >= PB_TYPE_COUNT && type->kind <= PB_TYPE_STATS);
}

uint64_t aggregate_rank(const struct pb_type *type, const struct map_contents *contents, uint32_t entry) {
  uint64_t value = combine(type, contents, entry);
  // Upstream orders minima and maxima as unsigned numbers: negative ones come last.
  bool is_extreme = type->kind == PB_TYPE_MIN || type->kind == PB_TYPE_MAX;
  return type->is_signed && !is_extreme ? value ^ UINT64_C(1) << 63 : value;
}

static void print_stats(struct printer *printer, const struct pb_type *type, const struct average *average, uint32_t div) {
  const struct output_format *format = printer->format;
  format->group_open(printer, GROUP_RECORD, false);
  format->member(printer, GROUP_RECORD, "count", true);
  format->integer(printer, average->count, type->is_signed);
  format->member(printer, GROUP_RECORD, "average", false);
  format->integer(printer, divide(average->value, div, type->is_signed), type->is_signed);
  format->member(printer, GROUP_RECORD, "total", false);
  format->integer(printer, average->total, type->is_signed);
  format->group_close(printer, GROUP_RECORD);
}

void aggregate_print(struct printer *printer, const struct pb_type *type, const struct map_contents *contents, uint32_t entry,
                     uint32_t div) {
  if (type->kind == PB_TYPE_STATS) {
    struct average average = combine_average(type, contents, entry);
    print_stats(printer, type, &average, div);
  } else if (aggregate_has_rank(type) && !type->enumeration) {
    printer->format->integer(printer, divide(combine(type, contents, entry), div, type->is_signed), type->is_signed);
  } else {
    value_print(printer, type, map_contents_value(contents, entry, 0), div);
  }
}
