#include "shim/output/time_series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/output/text.h"
#include "shim/output/time_format.h"
#include "shim/output/value.h"

// What a CPU has for an interval: three numbers, see TSERIES in required_resources.proto.
enum { DETAIL = 8, EPOCH = 16 };

static bool is_less(uint64_t a, uint64_t b, bool is_signed) {
  uint64_t flip = is_signed ? UINT64_C(1) << 63 : 0;  // makes the order of signed numbers that of unsigned ones
  return (a ^ flip) < (b ^ flip);
}

// The last interval that any CPU has in an entry; 0 if none has one.
static uint64_t latest_epoch(const struct map_contents *contents, uint32_t entry) {
  uint64_t latest = 0;
  for (uint32_t cpu = 0; cpu < contents->cpus; cpu++) {
    uint64_t epoch = load_unsigned(map_contents_value(contents, entry, cpu) + EPOCH, 8);
    if (epoch > latest)
      latest = epoch;
  }
  return latest;
}

// What all CPUs have in an entry for that interval, together.
static uint64_t combine(const struct pb_type *type, const struct map_contents *contents, uint32_t entry, uint64_t epoch) {
  bool found = false;
  uint64_t value = 0;
  uint64_t detail = 0;
  for (uint32_t cpu = 0; cpu < contents->cpus; cpu++) {
    const uint8_t *data = map_contents_value(contents, entry, cpu);
    if (load_unsigned(data + EPOCH, 8) != epoch)
      continue;
    uint64_t own_value = load_unsigned(data, 8);
    uint64_t own_detail = load_unsigned(data + DETAIL, 8);
    bool is_better = !found;
    switch (type->tseries_aggregate) {
      case PB_TYPE_TSERIES_AVG:
      case PB_TYPE_TSERIES_SUM:
        value += own_value;
        detail += own_detail;
        break;
      case PB_TYPE_TSERIES_MIN:
        is_better |= is_less(own_value, value, type->is_signed);
        break;
      case PB_TYPE_TSERIES_MAX:
        is_better |= is_less(value, own_value, type->is_signed);
        break;
      default:  // the last one
        is_better |= own_detail > detail;
        break;
    }
    bool is_total = type->tseries_aggregate == PB_TYPE_TSERIES_AVG || type->tseries_aggregate == PB_TYPE_TSERIES_SUM;
    if (is_better && !is_total) {
      value = own_value;
      detail = own_detail;
    }
    found = true;
  }
  if (type->tseries_aggregate != PB_TYPE_TSERIES_AVG || !detail)
    return value;
  return type->is_signed ? (uint64_t)((int64_t)value / (int64_t)detail) : value / detail;
}

// Makes a series of the entries of a group: from the first interval in which it has a value, or `last` if it has none.
// `values` has room for all intervals from `first` to `last`.
static struct time_series gather(const struct pb_type *type, const struct map_groups *groups, uint32_t group, uint64_t first,
                                 uint64_t last, struct interval_value *values) {
  memset(values, 0, (last - first + 1) * sizeof(*values));
  uint64_t begin = last;
  for (uint32_t i = groups->begins[group]; i < groups->begins[group + 1]; i++) {
    uint64_t epoch = latest_epoch(groups->contents, groups->entries[i]);
    if (epoch < first)
      continue;
    uint64_t value = combine(type, groups->contents, groups->entries[i], epoch);
    values[epoch - first] = (struct interval_value){.is_set = true, .value = value};
    if (epoch < begin)
      begin = epoch;
  }
  return (struct time_series){
      .interval_ns = type->tseries_interval_ns,
      .first = begin,
      .count = last - begin + 1,
      .values = values + (begin - first),
      .is_signed = type->is_signed,
  };
}

int shim_print_tseries(struct printer *printer, const struct map *map, const struct map_heading *heading,
                       const struct map_contents *contents, uint32_t top, uint32_t div) {
  (void)top, (void)div;
  const struct pb_type *types = printer->tracer->resources->types;
  const struct pb_type *type = &types[map->info->value_type];
  uint64_t last = 0;
  for (uint32_t i = 0; i < contents->count; i++) {
    uint64_t epoch = latest_epoch(contents, i);
    if (epoch > last)
      last = epoch;
  }
  // Epochs begin with 1: 0 marks what was never used.
  uint64_t first = last >= type->tseries_buckets ? last - type->tseries_buckets + 1 : 1;
  struct map_groups groups;
  int err = map_groups_make(&groups, map, contents);
  if (err)
    return err;
  struct interval_value *values = calloc((size_t)type->tseries_buckets + 1, sizeof(*values));
  err = values ? 0 : -ENOMEM;
  if (!err)
    printer->format->map_open(printer, heading);
  for (uint32_t i = 0; !err && i < groups.count; i++) {
    if (heading->has_keys) {
      printer->format->key_open(printer, heading, i == 0);
      value_print(printer, &types[map->info->key_type], map_contents_key(contents, groups.entries[groups.begins[i]]), 1);
      printer->format->key_close(printer, heading);
    }
    struct time_series series = {0};
    if (last)
      series = gather(type, &groups, i, first, last, values);
    printer->format->time_series(printer, &series);
    printer->format->entry_close(printer, heading);
  }
  if (!err)
    printer->format->map_close(printer, heading);
  free(values);
  map_groups_free(&groups);
  return err;
}

// --------------------------------------------------------------------------------------------------------------------- text

enum { GRAPH_WIDTH = 53, LEFT_WIDTH = 21, RIGHT_WIDTH = GRAPH_WIDTH - LEFT_WIDTH, SECOND = 1000000000 };

// How the times of a graph are written: with so many digits behind the seconds' point.
struct time_unit {
  uint64_t nanoseconds;
  size_t digits;
  const char *heading;
};

static const struct time_unit *time_unit(uint64_t interval) {
  static const struct time_unit units[] = {
      {SECOND, 0, "hh:mm:ss"}, {1000000, 3, "hh:mm:ss.ms"}, {1000, 6, "hh:mm:ss.\xce\xbcs"}, {1, 9, "hh:mm:ss.ns"}};
  const struct time_unit *unit = units;
  while (interval < unit->nanoseconds && unit->nanoseconds > 1)
    unit++;
  return unit;
}

static size_t time_width(const struct time_unit *unit) {
  return strlen("hh:mm:ss") + (unit->digits ? 1 + unit->digits : 0);
}

static void put_time(struct writer *out, const struct time_unit *unit, uint64_t nanoseconds) {
  char text[32] = "";
  struct moment moment = {.seconds = (time_t)(nanoseconds / SECOND)};
  writer_put(out, text, time_format(text, sizeof(text), "%H:%M:%S", &moment));
  if (!unit->digits)
    return;
  struct number number;
  number_format(&number, nanoseconds % SECOND / unit->nanoseconds, DECIMAL, false);
  writer_text(out, ".");
  writer_fill(out, '0', unit->digits - number.size);
  writer_put(out, number.text, number.size);
}

// The ends of the scale.
struct range {
  bool is_set;
  uint64_t low;
  uint64_t high;
};

static struct range find_range(const struct time_series *series) {
  struct range range = {0};
  for (uint64_t i = 0; i < series->count; i++) {
    uint64_t value = series->values[i].value;
    if (!series->values[i].is_set)
      continue;
    if (!range.is_set || is_less(value, range.low, series->is_signed))
      range.low = value;
    if (!range.is_set || is_less(range.high, value, series->is_signed))
      range.high = value;
    range.is_set = true;
  }
  if (range.is_set && range.low == range.high) {  // some room at both sides, if there are such numbers
    uint64_t least = series->is_signed ? UINT64_C(1) << 63 : 0;
    range.low -= range.low != least;
    range.high += range.high != least - 1;
  }
  return range;
}

// Writes a number, or "null" if there is none, with padding at its right side (`left_align`) or at its left one.
static void put_value(struct writer *out, const uint64_t *value, bool is_signed, size_t width, bool left_align) {
  struct number number = {.text = "null", .size = 4};
  if (value && is_signed)
    number_format_signed(&number, (int64_t)*value, false);
  else if (value)
    number_format(&number, *value, DECIMAL, false);
  size_t padding = width > number.size ? width - number.size : 0;
  writer_fill(out, ' ', left_align ? 0 : padding);
  writer_put(out, number.text, number.size);
  writer_fill(out, ' ', left_align ? padding : 0);
}

static void put_scale(struct writer *out, const struct range *range, bool is_signed, size_t indent) {
  writer_fill(out, ' ', indent);
  put_value(out, range->is_set ? &range->low : NULL, is_signed, LEFT_WIDTH, true);
  put_value(out, range->is_set ? &range->high : NULL, is_signed, RIGHT_WIDTH, false);
  writer_text(out, "\n");
}

// Where a value stands in a line of `width` columns. Upstream's arithmetic, in single precision, so that no point is one column off.
static size_t column(const struct range *range, uint64_t value, size_t width) {
  size_t at = (size_t)((float)width * (float)(value - range->low) / (float)(range->high - range->low));
  return at < GRAPH_WIDTH ? at : GRAPH_WIDTH - 1;
}

static void put_line(struct writer *out, const struct range *range, const struct interval_value *point, bool is_signed) {
  char line[GRAPH_WIDTH];
  memset(line, ' ', sizeof(line));
  line[0] = line[GRAPH_WIDTH - 1] = '|';
  if (range->is_set && is_signed && (int64_t)range->low < 0 && (int64_t)range->high > 0) {
    size_t zero = column(range, 0, GRAPH_WIDTH);
    line[zero] = zero ? '.' : '|';
  }
  if (point->is_set)
    line[column(range, point->value, GRAPH_WIDTH - 1)] = '*';
  writer_put(out, line, sizeof(line));
  writer_text(out, " ");
  if (point->is_set)
    put_value(out, &point->value, is_signed, 0, true);
  else
    writer_text(out, "-");
  writer_text(out, "\n");
}

void text_time_series(struct printer *printer, const struct time_series *series) {
  struct writer *out = printer->out;
  if (!series->count) {
    writer_text(out, "<no data>");
    return;
  }
  // The interval between points: there is none if there is one point only.
  const struct time_unit *unit = time_unit(series->count > 1 ? series->interval_ns : 0);
  size_t width = time_width(unit) + 1;
  struct range range = find_range(series);
  put_scale(out, &range, series->is_signed, width);
  writer_text(out, unit->heading);
  writer_fill(out, ' ', width - strlen(unit->heading));
  writer_text(out, "|");
  writer_fill(out, '_', GRAPH_WIDTH - 2);
  writer_text(out, "|\n");
  for (uint64_t i = 0; i < series->count; i++) {
    put_time(out, unit, (series->first + i) * series->interval_ns);
    writer_text(out, " ");
    put_line(out, &range, &series->values[i], series->is_signed);
  }
  writer_fill(out, ' ', width);
  writer_text(out, "v");
  writer_fill(out, '_', GRAPH_WIDTH - 2);
  writer_text(out, "v\n");
  put_scale(out, &range, series->is_signed, width);
}
