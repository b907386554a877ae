#include "shim/output/histogram.h"

#include <errno.h>
#include <stdlib.h>

#include "shim/output/aggregate.h"
#include "shim/output/map_groups.h"
#include "shim/output/value.h"
#include "shim/sort.h"

enum { HIST_POWERS = 64 };

// The kind of histogram: how many buckets there can be, and where they are.
struct scale {
  uint32_t buckets;
  // The upper end of a bucket, false if it has none. The lower end is the upper one of the bucket before.
  bool (*upper)(const struct pb_type *type, uint64_t bucket, struct bound *bound);
  bool divides;  // whether print()'s `div` has an effect
};

static bool hist_upper(const struct pb_type *type, uint64_t bucket, struct bound *bound) {
  static const char units[] = "\0KMGTPE";
  uint32_t bits = type->histogram_bits;
  uint64_t per_power = UINT64_C(1) << bits;
  if (bucket <= 2 * per_power) {
    *bound = (struct bound){.value = (int64_t)bucket, .number = (int64_t)bucket, .is_exact = true};
    return true;
  }
  // 2^63 does not fit into `value`, which does not matter: it is no lower end.
  uint64_t steps = per_power + bucket % per_power;
  uint32_t power = (uint32_t)(bucket / per_power) - 1;
  *bound = (struct bound){
      .value = (int64_t)(steps << power), .number = (int64_t)(steps << power % 10), .unit = units[power / 10]};
  return true;
}

static uint64_t lhist_steps(const struct pb_type *type) {
  return ((uint64_t)type->lhist_max - (uint64_t)type->lhist_min) / (uint64_t)type->lhist_step;
}

static bool lhist_upper(const struct pb_type *type, uint64_t bucket, struct bound *bound) {
  enum { KILO = 1024, MEGA = 1024 * 1024 };
  int64_t value = (int64_t)((uint64_t)type->lhist_min + bucket * (uint64_t)type->lhist_step);
  *bound = (struct bound){.value = value, .number = value, .is_exact = type->lhist_step % KILO != 0};
  if (!bound->is_exact && value && value % MEGA == 0) {
    bound->number = value / MEGA;
    bound->unit = 'M';
  } else if (!bound->is_exact && value && value % KILO == 0) {
    bound->number = value / KILO;
    bound->unit = 'K';
  }
  return bucket <= lhist_steps(type);
}

struct histograms {
  struct map_groups groups;
  uint64_t *totals;  // of every group
};

static bool total_after(const void *context, uint32_t a, uint32_t b) {
  const struct histograms *histograms = context;
  return histograms->totals[a] > histograms->totals[b];
}

static void add_totals(struct histograms *histograms) {
  const struct map_groups *groups = &histograms->groups;
  for (uint32_t group = 0; group < groups->count; group++) {
    histograms->totals[group] = 0;
    for (uint32_t i = groups->begins[group]; i < groups->begins[group + 1]; i++)
      histograms->totals[group] += aggregate_sum(groups->contents, groups->entries[i], 0);
  }
}

// Prints the buckets from the first to the last that is not empty.
static void print_buckets(struct printer *printer, const struct pb_type *type, const struct scale *scale,
                          const struct map_groups *groups, uint32_t index, uint32_t div) {
  const uint32_t *entry = groups->entries + groups->begins[index];
  const uint32_t *end = groups->entries + groups->begins[index + 1];
  while (end > entry && (map_groups_bucket(groups, end[-1]) >= scale->buckets || !aggregate_sum(groups->contents, end[-1], 0)))
    end--;
  while (entry < end && !aggregate_sum(groups->contents, *entry, 0))
    entry++;
  if (entry == end)
    return;
  uint64_t max_count = 0;
  for (const uint32_t *other = entry; other < end; other++) {
    uint64_t count = aggregate_sum(groups->contents, *other, 0);
    if (count > max_count)
      max_count = count;
  }
  uint64_t first = map_groups_bucket(groups, *entry);
  uint64_t last = map_groups_bucket(groups, end[-1]);
  struct bound lower = {0};
  struct bound upper = {0};
  bool has_lower = first > 0;
  if (has_lower)
    scale->upper(type, first - 1, &lower);
  for (uint64_t number = first; number <= last; number++) {
    bool has_upper = scale->upper(type, number, &upper);
    uint64_t count = 0;
    if (entry < end && map_groups_bucket(groups, *entry) == number)
      count = aggregate_sum(groups->contents, *entry++, 0);
    struct bucket bucket = {
        .lower = has_lower ? &lower : NULL,
        .upper = has_upper ? &upper : NULL,
        .count = count / div,
        .max_count = max_count / div,
        .first = number == first,
    };
    printer->format->bucket(printer, &bucket);
    lower = upper;
    has_lower = true;
  }
}

static void print_histograms(struct printer *printer, const struct map *map, const struct map_heading *heading,
                             const struct scale *scale, const struct histograms *histograms, const uint32_t *order,
                             uint32_t top, uint32_t div) {
  const struct pb_type *types = printer->tracer->resources->types;
  const struct map_groups *groups = &histograms->groups;
  uint32_t begin = top && top < groups->count ? groups->count - top : 0;
  printer->format->map_open(printer, heading);
  for (uint32_t i = begin; i < groups->count; i++) {
    if (heading->has_keys) {
      uint32_t entry = groups->entries[groups->begins[order[i]]];
      printer->format->key_open(printer, heading, i == begin);
      value_print(printer, &types[map->info->key_type], map_contents_key(groups->contents, entry), 1);
      printer->format->key_close(printer, heading);
    }
    print_buckets(printer, &types[map->info->value_type], scale, groups, order[i], scale->divides ? div : 1);
    printer->format->entry_close(printer, heading);
  }
  printer->format->map_close(printer, heading);
}

static int print(struct printer *printer, const struct map *map, const struct map_heading *heading, const struct scale *scale,
                 const struct map_contents *contents, uint32_t top, uint32_t div) {
  struct histograms histograms;
  int err = map_groups_make(&histograms.groups, map, contents);
  if (err)
    return err;
  size_t room = (size_t)histograms.groups.count + 1;
  histograms.totals = malloc(room * (sizeof(uint64_t) + 2 * sizeof(uint32_t)));
  err = histograms.totals ? 0 : -ENOMEM;
  if (!err) {
    uint32_t *order = (uint32_t *)(histograms.totals + room);
    add_totals(&histograms);
    for (uint32_t i = 0; i < histograms.groups.count; i++)
      order[i] = i;
    sort_indices(order, histograms.groups.count, order + room, total_after, &histograms);
    print_histograms(printer, map, heading, scale, &histograms, order, top, div);
  }
  free(histograms.totals);
  map_groups_free(&histograms.groups);
  return err;
}

int shim_print_hist(struct printer *printer, const struct map *map, const struct map_heading *heading,
                    const struct map_contents *contents, uint32_t top, uint32_t div) {
  uint32_t bits = printer->tracer->resources->types[map->info->value_type].histogram_bits;
  struct scale scale = {.buckets = ((uint32_t)HIST_POWERS << bits) + 1, .upper = hist_upper, .divides = true};
  return print(printer, map, heading, &scale, contents, top, div);
}

int shim_print_lhist(struct printer *printer, const struct map *map, const struct map_heading *heading,
                     const struct map_contents *contents, uint32_t top, uint32_t div) {
  const struct pb_type *type = &printer->tracer->resources->types[map->info->value_type];
  struct scale scale = {.buckets = (uint32_t)lhist_steps(type) + 2, .upper = lhist_upper};
  return print(printer, map, heading, &scale, contents, top, div);
}
