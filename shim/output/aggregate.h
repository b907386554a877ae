// The value of a map entry as one: what the CPUs have counted is combined.
#ifndef SHIM_OUTPUT_AGGREGATE_H
#define SHIM_OUTPUT_AGGREGATE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/maps.h"
#include "shim/output/printer.h"

// Whether maps with values of this type are ordered by value (and not by key), and by what an entry is ordered then.
bool aggregate_has_rank(const struct pb_type *type);
uint64_t aggregate_rank(const struct pb_type *type, const struct map_contents *contents, uint32_t entry);

// Prints the value of an entry. Aggregations and integers are divided by `div`, but for the total of a stats().
void aggregate_print(struct printer *printer, const struct pb_type *type, const struct map_contents *contents, uint32_t entry,
                     uint32_t div);

// The sum over all CPUs of the numbers of `size` bytes at `offset` in an entry's values.
uint64_t aggregate_sum(const struct map_contents *contents, uint32_t entry, uint32_t offset);

#endif
