#include "shim/packets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "shim/bpf.h"
#include "shim/host.h"
#include "shim/output/boot_time.h"
#include "shim/output/output.h"
#include "shim/output/pcap.h"
#include "shim/payload.h"
#include "shim/perf_ring.h"
#include "shim/report.h"

// Where the event of a packet has what (SkbOutput in actions.proto).
enum { TIME_OFFSET = 8, CAPTURED_OFFSET = 16, LENGTH_OFFSET = 20, PACKET_OFFSET = 24 };

static struct {
  struct perf_ring *rings;
  uint32_t rings_count;
  struct writer **files;    // of each action; of one path there is one
  uint32_t files_count;
  _Alignas(8) uint8_t event[PERF_LARGEST_RECORD];
} packets;

static int open_file(const struct tracer *tracer, uint32_t index) {
  const struct pb_action *actions = tracer->resources->actions;
  const char *path = actions[index].skb_output->path;
  for (uint32_t i = 0; i < index; i++) {
    if (packets.files[i] && !strcmp(actions[i].skb_output->path, path)) {
      packets.files[index] = packets.files[i];
      return 0;
    }
  }
  struct writer *file = malloc(sizeof(*file));
  int err = file ? pcap_open(file, path) : -ENOMEM;
  if (err) {
    free(file);
    report(REPORT_ERROR, tracer->resources, actions[index].span, "events: open %s: %s", path, report_cause(err));
    return err;
  }
  packets.files[index] = file;
  return 0;
}

static int open_files(const struct tracer *tracer) {
  uint32_t count = tracer->resources->actions_count;
  packets.files = calloc(count ? count : 1, sizeof(struct writer *));
  if (!packets.files) {
    report(REPORT_ERROR, NULL, 0, "events: open files for packets: %s", report_cause(-ENOMEM));
    return -ENOMEM;
  }
  packets.files_count = count;
  for (uint32_t i = 0; i < count; i++) {
    int err = tracer->resources->actions[i].kind_case == PB_ACTION_KIND_SKB_OUTPUT ? open_file(tracer, i) : 0;
    if (err)
      return err;
  }
  return 0;
}

static int open_ring(const struct map *map, uint32_t cpu, uint64_t size, int epoll_fd) {
  const struct perf_event_attr attr = {
      .type = PERF_TYPE_SOFTWARE,
      .size = sizeof(attr),
      .config = PERF_COUNT_SW_BPF_OUTPUT,
      .sample_period = 1,
      .sample_type = PERF_SAMPLE_RAW,
      .wakeup_events = 1,
  };
  struct perf_ring *ring = &packets.rings[packets.rings_count];
  int err = perf_ring_open(ring, &attr, cpu, size);
  if (err)
    return err == -ENODEV ? 0 : err;  // offline: no program runs there
  packets.rings_count++;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = ring->fd};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ring->fd, &event) < 0 ? -errno : bpf_map_update(map->fd, &cpu, &ring->fd);
}

static int open_rings(const struct map *map, int epoll_fd) {
  struct cpu_list possible;
  int err = host_read_cpu_list("/sys/devices/system/cpu/possible", &possible);
  if (err)
    return err;
  uint64_t size = 1;
  while (size < map->info->max_entries / possible.count)
    size *= 2;
  packets.rings = calloc((size_t)possible.highest + 1, sizeof(*packets.rings));
  if (!packets.rings)
    return -ENOMEM;
  for (uint32_t cpu = possible.lowest; cpu <= possible.highest && !err; cpu++)
    err = open_ring(map, cpu, size, epoll_fd);
  return err;
}

int shim_packets_open(struct tracer *tracer, const struct map *map, int epoll_fd) {
  int err = open_files(tracer);
  if (err)
    return err;
  err = open_rings(map, epoll_fd);
  if (err)
    report(REPORT_ERROR, tracer->resources, map->info->span, "events: open rings for packets: %s%s", report_cause(err),
           report_privilege_hint(err));
  return err;
}

void shim_packets_close(void) {
  for (uint32_t i = 0; i < packets.rings_count; i++)
    perf_ring_close(&packets.rings[i]);
  for (uint32_t i = 0; i < packets.files_count; i++) {
    struct writer *file = packets.files[i];
    if (!file)
      continue;
    for (uint32_t j = i; j < packets.files_count; j++)
      if (packets.files[j] == file)
        packets.files[j] = NULL;
    pcap_close(file);  // what failed was reported when it was drained
    free(file);
  }
  free(packets.rings);
  free((void *)packets.files);
  packets.rings_count = packets.files_count = 0;
  packets.rings = NULL;
  packets.files = NULL;
}

int shim_action_skb_output(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  if (!packets.files || size < PACKET_OFFSET)
    return -EBADMSG;
  struct writer *file = packets.files[action - tracer->resources->actions];
  uint64_t since_boot;
  uint32_t captured, length;
  uint32_t offset = action->skb_output->offset;
  memcpy(&since_boot, event + TIME_OFFSET, sizeof(since_boot));
  memcpy(&captured, event + CAPTURED_OFFSET, sizeof(captured));
  memcpy(&length, event + LENGTH_OFFSET, sizeof(length));
  if (captured > size - PACKET_OFFSET)
    return -EBADMSG;
  if (offset >= captured)
    return 0;
  pcap_put(file, since_boot + (uint64_t)boot_time_offset(), event + PACKET_OFFSET + offset, captured - offset, length - offset);
  return file->error;
}

// A sample is its header, the size of the event as u32, and the event with up to seven bytes behind it. Records of other kinds are
// passed over: lost samples too, because the programs have counted them.
static int read_record(void *context, const struct perf_ring *ring, uint64_t at, const struct perf_event_header *header) {
  struct tracer *tracer = context;
  uint32_t size = 0, index = UINT32_MAX;
  if (header->type != PERF_RECORD_SAMPLE)
    return 0;
  if (header->size < sizeof(*header) + sizeof(size))
    return -EBADMSG;
  perf_ring_copy(ring, at + sizeof(*header), &size, sizeof(size));
  if (size < sizeof(index) || size > header->size - sizeof(*header) - sizeof(size))
    return -EBADMSG;
  perf_ring_copy(ring, at + sizeof(*header) + sizeof(size), packets.event, size);
  memcpy(&index, packets.event, sizeof(index));
  if (index >= packets.files_count || !packets.files[index])
    return -EBADMSG;
  const struct pb_action *action = &tracer->resources->actions[index];
  int err = shim_action_skb_output(tracer, action, packets.event, size);
  if (err && packets.files[index]->error) {
    report(REPORT_ERROR, tracer->resources, action->span, "events: write %s: %s", action->skb_output->path, report_cause(err));
  }
  return err;
}

int shim_packets_drain(struct tracer *tracer) {
  int err = 0;
  for (uint32_t i = 0; i < packets.rings_count && !err; i++)
    err = perf_ring_drain(&packets.rings[i], read_record, tracer);
  if (err == -EBADMSG)
    report(REPORT_ERROR, NULL, 0, "events: read packets: a record is malformed");
  // For who watches the files grow.
  for (uint32_t i = 0; i < packets.files_count && !err; i++) {
    err = packets.files[i] ? writer_flush(packets.files[i]) : 0;
    if (err) {
      const struct pb_action *action = &tracer->resources->actions[i];
      report(REPORT_ERROR, tracer->resources, action->span, "events: write %s: %s", action->skb_output->path, report_cause(err));
    }
  }
  return err;
}
