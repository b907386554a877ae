#include "shim/user/mapping_watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "shim/host.h"
#include "shim/perf_ring.h"
#include "shim/report.h"
#include "shim/tracer.h"
#include "shim/user/mapping_history.h"

// A process that starts and ends makes records of some 1500 bytes. The tracer is woken up for every few of them.
enum { RING_SIZE = 32 * 1024, WATERMARK = 8 * 1024, LARGEST_RECORD = 8 * 1024, MAX_SCANNED = 8192 };

static struct {
  struct perf_ring *rings;
  uint32_t rings_count;
  uint32_t only;  // the process that is watched, 0 for all
  bool scanned;
} watch;

static int open_ring(uint32_t cpu, int epoll_fd) {
  const struct perf_event_attr attr = {
      .type = PERF_TYPE_SOFTWARE,
      .size = sizeof(attr),
      .config = PERF_COUNT_SW_DUMMY,
      .sample_type = PERF_SAMPLE_TIME,
      .flags = PERF_ATTR_FLAG_MMAP | PERF_ATTR_FLAG_MMAP2 | PERF_ATTR_FLAG_COMM | PERF_ATTR_FLAG_COMM_EXEC | PERF_ATTR_FLAG_TASK |
               PERF_ATTR_FLAG_SAMPLE_ID_ALL | PERF_ATTR_FLAG_WATERMARK | PERF_ATTR_FLAG_USE_CLOCKID,
      .wakeup_events = WATERMARK,
      .clockid = CLOCK_MONOTONIC,  // the same on all CPUs
  };
  struct perf_ring *ring = &watch.rings[watch.rings_count];
  int err = perf_ring_open(ring, &attr, cpu, RING_SIZE);
  if (err)
    return err == -ENODEV ? 0 : err;
  watch.rings_count++;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = ring->fd};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ring->fd, &event) < 0 ? -errno : 0;
}

static int open_rings(int epoll_fd) {
  struct cpu_list possible;
  int err = host_read_cpu_list("/sys/devices/system/cpu/possible", &possible);
  if (err)
    return err;
  watch.rings = calloc((size_t)possible.highest + 1, sizeof(*watch.rings));
  if (!watch.rings)
    return -ENOMEM;
  for (uint32_t cpu = possible.lowest; cpu <= possible.highest && !err; cpu++)
    err = open_ring(cpu, epoll_fd);
  return err;
}

// Returns the number of mappings.
static uint32_t scan_process(uint32_t pid) {
  struct mappings mappings;
  if (mappings_read(pid, &mappings))
    return 0;
  uint32_t count = mappings.count;
  for (uint32_t i = 0; i < count; i++)
    mapping_history_add_mapping(pid, &mappings.list[i]);
  mappings_free(&mappings);
  return count;
}

static void scan_all(void) {
  DIR *folder = opendir("/proc");
  const struct dirent *entry;
  uint32_t count = 0;
  while (folder && count < MAX_SCANNED && (entry = readdir(folder)))
    if (*entry->d_name >= '1' && *entry->d_name <= '9')
      count += scan_process((uint32_t)strtoul(entry->d_name, NULL, 10));
  if (folder)
    closedir(folder);
}

void shim_mappings_open(const struct tracer *tracer, int epoll_fd) {
  if (tracer->resources->config->cache_user_symbols == PB_SYMBOL_CACHE_NONE)
    return;
  watch.only = (uint32_t)tracer->options.pid;
  int err = open_rings(epoll_fd);
  if (err) {
    shim_mappings_close();
    report(REPORT_WARNING, NULL, 0, "symbols: watch processes: %s%s; addresses of those that end have no names", report_cause(err),
           report_privilege_hint(err));
  } else if (watch.only) {
    scan_process(watch.only);
  }
}

void shim_mappings_close(void) {
  for (uint32_t i = 0; i < watch.rings_count; i++)
    perf_ring_close(&watch.rings[i]);
  free(watch.rings);
  watch.rings = NULL;
  watch.rings_count = 0;
  mapping_history_free();
}

static int read_record(void *context, const struct perf_ring *ring, uint64_t at, const struct perf_event_header *header) {
  (void)context;
  _Alignas(8) uint8_t record[LARGEST_RECORD];
  uint32_t pid = 0;
  if (header->size > sizeof(record) || header->size < sizeof(*header) + sizeof(pid))
    return 0;
  perf_ring_copy(ring, at, record, header->size);
  memcpy(&pid, record + sizeof(*header), sizeof(pid));
  if (!watch.only || pid == watch.only)
    mapping_history_add(record, header->size);
  return 0;
}

void shim_mappings_drain(void) {
  if (watch.rings_count && !watch.only && !watch.scanned) {
    watch.scanned = true;
    scan_all();
  }
  for (uint32_t i = 0; i < watch.rings_count; i++)
    perf_ring_drain(&watch.rings[i], read_record, NULL);
}
