// Histograms.
//
// A hist() or lhist() map has an entry for every bucket that was hit: its key is the key that the script gave (nothing for a map
// without keys), then the number of the bucket as u64 in the last 8 bytes; its value is a u64 per CPU. The code generator and
// this file number buckets as upstream does.
//
// hist(n, bits), with N = 2^bits buckets for every power of two:
//     n < 0           0
//     0 <= n < N      1 + n
//     otherwise       1 + ((p - bits + 1) << bits) + r, where p is the position of the highest set bit of n (from 0) and r are
//                     the `bits` bits behind it
// So bucket b >= 1 begins at first(b - 1), with first(i) = i for i < 2N, else (N + i % N) << (i / N - 1).
//
// lhist(n, min, max, step):
//     n < min         0
//     n > max         1 + (max - min) / step
//     otherwise       1 + (n - min) / step
// Bucket b >= 1 begins at min + (b - 1) * step; one that would end above max has no upper end.
#ifndef SHIM_OUTPUT_HISTOGRAM_H
#define SHIM_OUTPUT_HISTOGRAM_H

#include <stdint.h>

#include "shim/maps.h"
#include "shim/output/printer.h"

// Prints a map of histograms, those with the least values first, and only the last `top` unless that is 0. The counts of hist()
// are divided by `div`. Returns 0 or a negative errno.
typedef int histogram_printer(struct printer *printer, const struct map *map, const struct map_heading *heading,
                              const struct map_contents *contents, uint32_t top, uint32_t div);
extern histogram_printer shim_print_hist;
extern histogram_printer shim_print_lhist;

#endif
