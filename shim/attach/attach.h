// Attaching programs to what they trace. One file a probe family; one struct attach_family a kind of Probe.
#ifndef SHIM_ATTACH_ATTACH_H
#define SHIM_ATTACH_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/kernel.h"
#include "shim/tracer.h"

// What an attached probe holds: perf events or links, closed in order. Families with more than one fd allocate `more`.
struct attachment {
  bool is_missing;   // the kernel lacks its target, which config.missing_probes allows
  bool is_attached;
  int fd;         // -1 if none
  uint32_t more_count;
  int *more;
};

struct attach_family {
  // Whether the kernel runs the programs of one place in the reverse order of attaching: then they are attached in reverse.
  // NULL for no.
  bool (*runs_last_first)(const struct pb_probe *probe);
  // Before loading: checks that the target exists and adds to the load what belongs to the target. NULL if there is
  // nothing to do. Reports what is wrong and returns a negative errno.
  int (*prepare)(struct tracer *tracer, const struct pb_probe *probe, struct bpf_prog_load_attr *load);
  // Returns 0 with the attachment filled in; or reports what is wrong and returns a negative errno.
  int (*attach)(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct attachment *attachment);
};

// One for every kind of Probe.attach, named after its field: shim_attach_<field>.
extern const struct attach_family shim_attach_special;
extern const struct attach_family shim_attach_interval;
extern const struct attach_family shim_attach_tracepoint;
extern const struct attach_family shim_attach_kprobe;
extern const struct attach_family shim_attach_fentry;
extern const struct attach_family shim_attach_raw_tracepoint;
extern const struct attach_family shim_attach_perf_event;
extern const struct attach_family shim_attach_uprobe;
extern const struct attach_family shim_attach_usdt;
extern const struct attach_family shim_attach_watchpoint;
extern const struct attach_family shim_attach_iterator;

bool attach_is_linked(uint32_t attach_case);

// Runs the `prepare` of the families of all probes of a program. Returns the number of probes that may be attached, so 0 if the
// program need not be loaded, or a negative errno.
int attach_prepare(struct tracer *tracer, uint32_t program, struct bpf_prog_load_attr *load);

// Makes tracer->attachments. Returns 0 or -ENOMEM; detach_all() frees them.
int attach_init(struct tracer *tracer);
// Attaches all probes. Returns the number of those that are attached, or a negative errno after reporting.
int attach_all(struct tracer *tracer);
// Stops timers, then detaches all probes in reverse order.
void detach_all(struct tracer *tracer);

// Runs the programs of BEGIN or END (PB_SPECIAL_*). Returns 0, or a negative errno after reporting. In special.c: a tracer without them
// does not have it.
int shim_run_special(struct tracer *tracer, uint32_t kind);

// For families: opens a perf event, attaches the program and enables it. Returns the fd or a negative errno.
int attach_perf_event(struct perf_event_attr *attr, int cpu, int program_fd);
// For families: reports that `probe` cannot be attached, "<component>: attach <probe>: <cause>", as an error or as
// config.missing_probes wants it. Without a `cause` it is that of `err`, where -ENOENT means that the kernel lacks the target. Returns `err`.
int attach_fail(const struct tracer *tracer, const struct pb_probe *probe, const char *component, int err, const char *cause, ...)
    __attribute__((format(printf, 5, 6)));

#endif
