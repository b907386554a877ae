#include "shim/perf_ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/bpf.h"

int perf_ring_open(struct perf_ring *ring, const struct perf_event_attr *attr, uint32_t cpu, uint64_t size) {
  int fd = perf_event_open(attr, -1, (int)cpu);
  if (fd < 0)
    return fd;
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  if (size < page)
    size = page;
  void *mapping = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED) {
    int err = -errno;
    close(fd);
    return err;
  }
  *ring = (struct perf_ring){.fd = fd, .mapping = mapping, .page = page, .size = size};
  return 0;
}

void perf_ring_close(struct perf_ring *ring) {
  munmap(ring->mapping, ring->page + ring->size);
  close(ring->fd);
}

void perf_ring_copy(const struct perf_ring *ring, uint64_t from, void *to, uint64_t size) {
  const uint8_t *data = ring->mapping + ring->page;
  uint64_t start = from & (ring->size - 1);
  uint64_t first = size < ring->size - start ? size : ring->size - start;
  memcpy(to, data + start, first);
  memcpy((uint8_t *)to + first, data, size - first);
}

static _Atomic uint64_t *position(const struct perf_ring *ring, size_t offset) {
  return (_Atomic uint64_t *)(void *)(ring->mapping + offset);
}

int perf_ring_drain(const struct perf_ring *ring, perf_record_reader *read, void *context) {
  uint64_t tail = atomic_load_explicit(position(ring, PERF_DATA_TAIL_OFFSET), memory_order_relaxed);
  uint64_t head = atomic_load_explicit(position(ring, PERF_DATA_HEAD_OFFSET), memory_order_acquire);
  int err = 0;
  while (tail < head && !err) {
    struct perf_event_header header;
    perf_ring_copy(ring, tail, &header, sizeof(header));
    if (header.size < sizeof(header))
      return -EBADMSG;
    err = read(context, ring, tail, &header);
    tail += header.size;
    atomic_store_explicit(position(ring, PERF_DATA_TAIL_OFFSET), tail, memory_order_release);
  }
  return err;
}
