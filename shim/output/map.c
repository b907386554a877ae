// Maps as the operator sees them: in order, with the values of all CPUs combined.
#include "shim/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/output/aggregate.h"
#include "shim/output/histogram.h"
#include "shim/output/output.h"
#include "shim/output/time_series.h"
#include "shim/output/value.h"
#include "shim/report.h"
#include "shim/sort.h"

// Features that may be missing: see shim/features.h.
#pragma weak shim_print_hist
#pragma weak shim_print_lhist
#pragma weak shim_print_tseries

struct ordering {
  const struct map_contents *contents;
  const struct pb_required_resources *resources;
  const struct pb_type *key_type;
  const uint64_t *ranks;  // what values are ordered by; NULL for ordering by key
};

static bool rank_after(const void *context, uint32_t a, uint32_t b) {
  const struct ordering *ordering = context;
  return ordering->ranks[a] > ordering->ranks[b];
}

static int compare_key(const struct pb_required_resources *resources, const struct pb_type *type, const uint8_t *a,
                       const uint8_t *b) {
  switch (type->kind) {
    case PB_TYPE_INTEGER: {  // as signed ones, whatever they are
      int64_t left = load_signed(a, type->size);
      int64_t right = load_signed(b, type->size);
      return (left > right) - (left < right);
    }
    case PB_TYPE_STRING:
      return memcmp(a, b, type->size);
    case PB_TYPE_PROBE: {
      uint64_t left = load_unsigned(a, 8);
      uint64_t right = load_unsigned(b, 8);
      if (left >= resources->probes_count || right >= resources->probes_count)
        return (left > right) - (left < right);
      return strcmp(resources->probes[left].name, resources->probes[right].name);
    }
    default:
      return 0;  // values of other types have no order
  }
}

static bool key_after(const void *context, uint32_t a, uint32_t b) {
  const struct ordering *ordering = context;
  const struct pb_type *type = ordering->key_type;
  const uint8_t *left = map_contents_key(ordering->contents, a);
  const uint8_t *right = map_contents_key(ordering->contents, b);
  if (type->kind != PB_TYPE_TUPLE)
    return compare_key(ordering->resources, type, left, right) > 0;
  for (uint32_t i = 0; i < type->fields_count; i++) {
    const struct pb_field *field = &type->fields[i];
    const struct pb_type *inner = &ordering->resources->types[field->type];
    int order = compare_key(ordering->resources, inner, left + field->offset, right + field->offset);
    if (order)
      return order > 0;
  }
  return false;
}

// Upstream's order: numbers ascending by value, everything else by key. `indices` has room for twice the number of entries.
static int sort_entries(const struct tracer *tracer, const struct map *map, const struct map_contents *contents,
                        uint32_t *indices) {
  const struct pb_required_resources *resources = tracer->resources;
  const struct pb_type *value_type = &resources->types[map->info->value_type];
  for (uint32_t i = 0; i < contents->count; i++)
    indices[i] = i;
  struct ordering ordering = {
      .contents = contents, .resources = resources, .key_type = &resources->types[map->info->key_type]};
  if (!aggregate_has_rank(value_type)) {
    sort_indices(indices, contents->count, indices + contents->count, key_after, &ordering);
    return 0;
  }
  uint64_t *ranks = malloc(contents->count * sizeof(*ranks));
  if (!ranks)
    return -ENOMEM;
  for (uint32_t i = 0; i < contents->count; i++)
    ranks[i] = aggregate_rank(value_type, contents, i);
  ordering.ranks = ranks;
  sort_indices(indices, contents->count, indices + contents->count, rank_after, &ordering);
  free(ranks);
  return 0;
}

static void print_entry(struct printer *printer, const struct map *map, const struct map_heading *heading,
                        const struct map_contents *contents, uint32_t index, bool first, uint32_t div) {
  const struct pb_type *types = printer->tracer->resources->types;
  if (heading->has_keys) {
    printer->format->key_open(printer, heading, first);
    value_print(printer, &types[map->info->key_type], map_contents_key(contents, index), 1);
    printer->format->key_close(printer, heading);
  }
  aggregate_print(printer, &types[map->info->value_type], contents, index, div);
  printer->format->entry_close(printer, heading);
}

static int print_values(struct printer *printer, const struct map *map, const struct map_heading *heading,
                        const struct map_contents *contents, uint32_t top, uint32_t div) {
  uint32_t *indices = malloc(2 * (size_t)contents->count * sizeof(*indices));
  if (!indices)
    return -ENOMEM;
  int err = sort_entries(printer->tracer, map, contents, indices);
  if (!err) {
    uint32_t begin = top && top < contents->count ? contents->count - top : 0;
    printer->format->map_open(printer, heading);
    for (uint32_t i = begin; i < contents->count; i++)
      print_entry(printer, map, heading, contents, indices[i], i == begin, div);
    printer->format->map_close(printer, heading);
  }
  free(indices);
  return err;
}

// What print() shows of a map without keys that has no value.
static int print_zero(struct printer *printer, const struct map *map, const struct map_heading *heading) {
  struct map_contents zero = {.count = 1, .value_stride = map->value_stride, .cpus = 1, .entry_size = map->value_stride};
  zero.data = calloc(1, map->value_stride);
  if (!zero.data)
    return -ENOMEM;
  printer->format->map_open(printer, heading);
  print_entry(printer, map, heading, &zero, 0, true, 1);
  printer->format->map_close(printer, heading);
  free(zero.data);
  return 0;
}

static int print_map(struct tracer *tracer, const struct map *map, uint32_t top, uint32_t div, bool show_empty) {
  const struct pb_type *value_type = &tracer->resources->types[map->info->value_type];
  bool is_stats = value_type->kind == PB_TYPE_AVG || value_type->kind == PB_TYPE_STATS;
  struct map_heading heading = {
      .name = map->info->name, .shape = is_stats ? MAP_STATS : MAP_VALUES, .has_keys = map->info->key_type != 0};
  groups_printer *groups = NULL;
  if (value_type->kind == PB_TYPE_HIST)
    groups = shim_print_hist;
  else if (value_type->kind == PB_TYPE_LHIST)
    groups = shim_print_lhist;
  else if (value_type->kind == PB_TYPE_TSERIES)
    groups = shim_print_tseries;
  if (groups)
    heading.shape = value_type->kind == PB_TYPE_TSERIES ? MAP_TIME_SERIES : MAP_HISTOGRAM;

  struct printer printer = printer_make(tracer, &tracer->out);
  struct map_contents contents;
  int err = map_read(map, &contents);
  if (err)
    return err;
  if (!contents.count)
    err = show_empty && !heading.has_keys && !groups ? print_zero(&printer, map, &heading) : 0;
  else if (groups)
    err = groups(&printer, map, &heading, &contents, top, div ? div : 1);
  else
    err = print_values(&printer, map, &heading, &contents, top, div ? div : 1);
  map_contents_free(&contents);
  return err ? err : writer_settle(&tracer->out);
}

int shim_print_map(struct tracer *tracer, const struct map *map, uint32_t top, uint32_t div) {
  return print_map(tracer, map, top, div, false);
}

int shim_action_print_map(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)size;
  const struct map *map = &tracer->maps[action->print_map->map];
  uint32_t top = (uint32_t)load_unsigned(event + 8, sizeof(top));
  uint32_t div = (uint32_t)load_unsigned(event + 12, sizeof(div));
  int err = print_map(tracer, map, top, div, true);
  if (!err || tracer->out.error)
    return err;
  report(REPORT_ERROR, tracer->resources, action->span, "map: print %s: %s", map->info->name, report_cause(err));
  return 0;  // the tracer goes on, as it does after other run-time errors
}
