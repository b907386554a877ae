#include "shim/events.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/actions.h"
#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/packets.h"
#include "shim/payload.h"
#include "shim/report.h"
#include "shim/user/mapping_watch.h"

#pragma weak shim_run_special
#pragma weak shim_packets_open
#pragma weak shim_packets_close
#pragma weak shim_packets_drain
#pragma weak shim_mappings_open
#pragma weak shim_mappings_close
#pragma weak shim_mappings_drain

// The kernel maps the data twice in a row, so that a record that wraps around is in one piece.
struct ring {
  _Atomic uint64_t *consumer;        // a page of its own that we may write
  const _Atomic uint64_t *producer;  // a page, then 2 * size bytes of data
  const uint8_t *data;
  void *mapping;                     // of producer and data
  uint64_t size;
};

struct events {
  int epoll_fd;
  struct ring ring;
  uint32_t *sizes;       // of each action's event with all arguments
  uint8_t *padded;       // room for the largest of them
  const struct map *loss;
  uint64_t *loss_values; // one for each CPU
  uint64_t lost;
  bool runs_commands;    // there is an action of system()
};

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t signalled;  // SIGUSR1, for the script's self:signal probes
static sigset_t outer_mask;  // what was blocked before events_catch_signals()

static void handle_signal(int signal_number) {
  (void)signal_number;
  interrupted = 1;
}

static void handle_user_signal(int signal_number) {
  (void)signal_number;
  signalled = 1;
}

void events_catch_signals(void) {
  const struct sigaction action = {.sa_handler = handle_signal, .sa_flags = (int)SA_RESETHAND};
  const struct sigaction user_action = {.sa_handler = handle_user_signal};
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, &outer_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  // A reader that has gone is an error of write(2) like others: END runs, and the operator is told.
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigaction(SIGPIPE, &ignore, NULL);
  sigaction(SIGUSR1, &user_action, NULL);
}

// Whether a signal waits to be let in.
static bool signal_is_pending(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
                                       sigismember(&pending, SIGUSR1) == 1);
}

// epoll_pwait(2) lets no signal in while it has something else to report.
static void let_pending_signals_in(void) {
  sigset_t inner_mask;
  if (!signal_is_pending())
    return;
  sigprocmask(SIG_SETMASK, &outer_mask, &inner_mask);
  sigprocmask(SIG_SETMASK, &inner_mask, NULL);
}

static int open_ring(struct events *events, const struct map *map) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  struct ring *ring = &events->ring;
  ring->size = map->info->max_entries;
  void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);
  if (consumer == MAP_FAILED)
    return -errno;
  ring->consumer = consumer;
  void *producer = mmap(NULL, page + 2 * ring->size, PROT_READ, MAP_SHARED, map->fd, (off_t)page);
  if (producer == MAP_FAILED)
    return -errno;
  ring->mapping = producer;
  ring->producer = producer;
  ring->data = (const uint8_t *)producer + page;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = map->fd};
  return epoll_ctl(events->epoll_fd, EPOLL_CTL_ADD, map->fd, &event) < 0 ? -errno : 0;
}

static int measure_actions(struct events *events, const struct pb_required_resources *resources) {
  uint32_t largest = EVENT_HEADER_SIZE;
  events->sizes = malloc((resources->actions_count + 1) * sizeof(*events->sizes));
  if (!events->sizes)
    return -ENOMEM;
  for (uint32_t i = 0; i < resources->actions_count; i++) {
    events->sizes[i] = (uint32_t)action_event_size(resources, &resources->actions[i]);
    events->runs_commands |= resources->actions[i].kind_case == PB_ACTION_KIND_SYSTEM;
    if (events->sizes[i] > largest)
      largest = events->sizes[i];
  }
  events->padded = malloc(largest);
  return events->padded ? 0 : -ENOMEM;
}

// Its end is an event too.
static int watch_process(const struct events *events, int process_fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = process_fd};
  return epoll_ctl(events->epoll_fd, EPOLL_CTL_ADD, process_fd, &event) < 0 ? -errno : 0;
}

int events_open(struct tracer *tracer, struct events **opened_events) {
  struct events *events = calloc(1, sizeof(*events));
  *opened_events = events;
  if (!events)
    return -ENOMEM;
  events->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  int err = events->epoll_fd < 0 ? -errno : measure_actions(events, tracer->resources);
  const struct map *packets = NULL;
  for (uint32_t i = 0; !err && i < tracer->resources->maps_count; i++) {
    const struct map *map = &tracer->maps[i];
    if (map->info->role == PB_MAP_RING_BUFFER)
      err = open_ring(events, map);
    if (map->info->role == PB_MAP_PACKETS)
      packets = map;
    if (map->info->role == PB_MAP_EVENT_LOSS) {
      events->loss = map;
      events->loss_values = calloc(map->cpus, sizeof(*events->loss_values));
      err = events->loss_values ? 0 : -ENOMEM;
    }
  }
  if (!err && tracer->command.process_fd >= 0)
    err = watch_process(events, tracer->command.process_fd);
  if (err)
    report(REPORT_ERROR, NULL, 0, "events: open ring buffer: %s", report_cause(err));
  if (!err && packets)
    err = shim_packets_open(tracer, packets, events->epoll_fd);
  if (!err && shim_mappings_open)
    shim_mappings_open(tracer, events->epoll_fd);
  return err;
}

void events_close(struct events *events) {
  if (!events)
    return;
  if (shim_packets_close)
    shim_packets_close();
  if (shim_mappings_close)
    shim_mappings_close();
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (events->ring.consumer)
    munmap((void *)events->ring.consumer, page);
  if (events->ring.producer)
    munmap(events->ring.mapping, page + 2 * events->ring.size);
  if (events->epoll_fd >= 0)
    close(events->epoll_fd);
  free(events->sizes);
  free(events->padded);
  free(events->loss_values);
  free(events);
}

static int dispatch(struct tracer *tracer, struct events *events, const uint8_t *event, uint32_t size) {
  uint32_t action = UINT32_MAX;
  if (size >= EVENT_HEADER_SIZE)
    memcpy(&action, event, sizeof(action));
  if (action >= tracer->resources->actions_count) {
    report(REPORT_ERROR, NULL, 0, "events: read event: it names no action");
    return -EBADMSG;
  }
  uint32_t whole = events->sizes[action];
  if (size < whole) {  // sent without the unused end of its last string
    memcpy(events->padded, event, size);
    memset(events->padded + size, 0, whole - size);
    event = events->padded;
  }
  int err = action_run(tracer, &tracer->resources->actions[action], event, size);
  if (err && !tracer->out.error)  // main() reports that one
    report(REPORT_ERROR, tracer->resources, tracer->resources->actions[action].span, "events: run action: %s", report_cause(err));
  return err;
}

// Consumes what is in the ring. Sets *busy if it stopped before a record that a program is still writing. With
// `heeds_signals` it stops at a signal too, because programs may send events as fast as they are consumed.
static int consume(struct tracer *tracer, struct events *events, bool heeds_signals, bool *busy) {
  // For a signal: a look is a system call, which is much beside printing and nothing beside a command.
  const uint32_t records_between_looks = events->runs_commands ? 1 : 64;
  struct ring *ring = &events->ring;
  uint32_t consumed = 0;
  *busy = false;
  uint64_t consumer = atomic_load_explicit(ring->consumer, memory_order_relaxed);
  int err = 0;
  // The producer's position is read again until it stays: a program may have skipped the wakeup because we were at work.
  for (uint64_t producer; consumer < (producer = atomic_load_explicit(ring->producer, memory_order_acquire)) && !*busy && !err;) {
    while (consumer < producer && !err) {
      if (heeds_signals && ++consumed % records_between_looks == 0 && signal_is_pending())
        return 0;
      const uint8_t *record = ring->data + (consumer & (ring->size - 1));
      // The length is written last; this load keeps the reads of the data behind it.
      uint32_t header = atomic_load_explicit((const _Atomic uint32_t *)(const void *)record, memory_order_acquire);
      if (header & BPF_RINGBUF_BUSY_BIT) {
        *busy = true;
        break;
      }
      uint32_t length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
      if (!(header & BPF_RINGBUF_DISCARD_BIT) && !tracer->exiting)
        err = dispatch(tracer, events, record + BPF_RINGBUF_HEADER_SIZE, length);
      consumer += (BPF_RINGBUF_HEADER_SIZE + length + 7) & ~7u;
      // Frees the room for programs only now that its data has been read.
      atomic_store_explicit(ring->consumer, consumer, memory_order_release);
    }
  }
  return err;
}

static int drain_packets(struct tracer *tracer) {
  return shim_packets_drain ? shim_packets_drain(tracer) : 0;
}

int events_drain(struct tracer *tracer, struct events *events) {
  enum { MAX_WAITS = 20, WAIT_MS = 5 };
  bool busy = false;
  int err = drain_packets(tracer);
  if (!events->ring.producer)
    return err;
  // A program that is in the middle of a record finishes soon.
  for (int i = 0; i < MAX_WAITS && !err; i++) {
    err = consume(tracer, events, false, &busy);
    if (!busy)
      break;
    struct epoll_event ready;
    epoll_wait(events->epoll_fd, &ready, 1, WAIT_MS);
  }
  events_report_loss(tracer, events);
  return err;
}

int events_wait(struct tracer *tracer, struct events *events) {
  int err = 0;
  while (!err && !tracer->exiting && !interrupted) {
    bool busy = false;
    err = drain_packets(tracer);
    if (shim_mappings_drain)
      shim_mappings_drain();
    if (!err && events->ring.producer)
      err = consume(tracer, events, true, &busy);
    events_report_loss(tracer, events);
    if (err || tracer->exiting)
      break;
    let_pending_signals_in();
    struct epoll_event ready;
    int count = interrupted || signalled ? 0 : epoll_pwait(events->epoll_fd, &ready, 1, -1, &outer_mask);
    if (count < 0 && errno != EINTR)
      err = -errno;
    if (count > 0 && ready.data.fd == tracer->command.process_fd)
      break;  // what the process has caused is in the ring, and is drained at the end
    if (signalled && shim_run_special) {
      signalled = 0;
      err = shim_run_special(tracer, PB_SPECIAL_SELF_SIGNAL);
    }
  }
  tracer->interrupted = interrupted;
  if (interrupted)
    sigprocmask(SIG_SETMASK, &outer_mask, NULL);  // a second signal ends the process
  return err;
}

void events_report_loss(struct tracer *tracer, struct events *events) {
  const uint32_t key = 0;
  if (!events->loss || map_lookup(events->loss, &key, events->loss_values) < 0)
    return;
  uint64_t lost = 0;
  for (uint32_t cpu = 0; cpu < events->loss->cpus; cpu++)
    lost += events->loss_values[cpu];
  if (lost == events->lost)
    return;
  writer_flush(&tracer->out);
  report_line("Lost %llu events", (unsigned long long)(lost - events->lost));
  events->lost = lost;
}

void events_report_total_loss(struct tracer *tracer, struct events *events) {
  if (events->lost && !tracer->options.no_warnings)
    report(REPORT_WARNING, NULL, 0, "Total lost event count: %llu", (unsigned long long)events->lost);
}
