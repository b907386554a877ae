// The ring of a perf event, which the kernel writes and the tracer reads.
#ifndef SHIM_PERF_RING_H
#define SHIM_PERF_RING_H

#include <stdint.h>

#include "shim/kernel.h"

struct perf_ring {
  int fd;
  uint8_t *mapping;  // a page of struct perf_event_mmap_page, then the data
  uint64_t page;
  uint64_t size;     // of the data, a power of two
};

// Opens an event on a CPU, and its ring with `size` bytes of data: a power of two; at least it gets a page. Returns 0, or a negative
// errno: -ENODEV for a CPU that is offline.
int perf_ring_open(struct perf_ring *ring, const struct perf_event_attr *attr, uint32_t cpu, uint64_t size);
void perf_ring_close(struct perf_ring *ring);

// Takes bytes out of a ring, at whose end they go on at its beginning.
void perf_ring_copy(const struct perf_ring *ring, uint64_t from, void *to, uint64_t size);

// What is at `at` is a record with that header. Returns 0, or a negative errno that ends the reading.
typedef int perf_record_reader(void *context, const struct perf_ring *ring, uint64_t at, const struct perf_event_header *header);

// Reads what is in a ring. Returns 0, what the reader returned, or -EBADMSG for a record without a size.
int perf_ring_drain(const struct perf_ring *ring, perf_record_reader *read, void *context);

#endif
