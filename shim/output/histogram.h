// Histograms.
//
// A hist() or lhist() map has an entry for every bucket that was hit (see map_groups.h); its value is a u64 per CPU. The code
// generator and this file number buckets as upstream does.
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

#include "shim/output/map_groups.h"

// Prints a map of histograms, those with the least values first, and only the last `top` unless that is 0. The counts of hist()
// are divided by `div`.
extern groups_printer shim_print_hist;
extern groups_printer shim_print_lhist;

#endif
