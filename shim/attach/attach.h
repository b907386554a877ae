// Attaching programs to what they trace. One file a probe family; one struct attach_family a kind of Probe.
//
// A probe of the script stands for targets: the places on this host where its program is to run. Most have one; a pattern has
// one for each name that matches. Targets are found before anything is loaded.
#ifndef SHIM_ATTACH_ATTACH_H
#define SHIM_ATTACH_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/kernel.h"
#include "shim/tracer.h"

struct target {
  uint32_t probe;     // index into resources->probes
  char *name;         // in full, as the builtin `probe` shows it
  char *group;        // module, category or file, "" if none
  char *symbol;       // function or event, "" if none
  uint64_t address;   // in the kernel or, for user space, in the file; of fentry the BTF id
  uint64_t start;     // of user space: where in the file the ELF file begins, not 0 in an archive
  uint64_t semaphore; // of usdt: where in the file the counter of its users is, 0 if it has none
  uint32_t object;    // of fentry: id of the module's BTF or of the BPF program that has the function; 0 for the kernel
  int program_fd;     // of the program that is this target's own, -1 if targets share one
  bool is_attached;
  int fd;             // what holds the attachment: a perf event or a link, -1 if none
  uint32_t more_count;
  int *more;          // allocated; for a target with more than one fd
};

struct attach_family {
  // Makes the probe, of which only parameters say what it is, one of another family. Reports what is wrong. NULL if there is
  // nothing to do.
  int (*complete)(struct tracer *tracer, uint32_t probe);
  // Whether the kernel runs the programs of one place in the reverse order of attaching: then they are attached in reverse.
  // NULL for no.
  bool (*runs_last_first)(const struct pb_probe *probe);
  // Adds the targets of a probe by target_add(); NULL if it is one, named as the probe. Returns 0 or a negative errno: what
  // there is none of is -ENOENT, the rest it has reported.
  int (*expand)(struct tracer *tracer, uint32_t probe);
  // Whether each target has a program of its own: because the kernel binds programs to targets when they are loaded, or because it
  // tells them no cookie.
  bool (*loads_each)(const struct pb_program *program);
  // Before loading: adds to the load what belongs to the target. NULL if there is nothing to do. Reports what is wrong and
  // returns a negative errno.
  int (*prepare)(struct tracer *tracer, const struct pb_probe *probe, const struct target *target,
                 struct bpf_prog_load_attr *load);
  // Attaches the program to one target: sets `fd`, or `more`. Returns 0, or a negative errno after attach_report().
  int (*attach)(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target);
  // Whether one link can hold all targets of a probe that has so many: then attach_many() is called instead, unless each has its own
  // program. NULL for no.
  bool (*has_one_link)(const struct pb_probe *probe, uint32_t targets);
  // Attaches the program to many at once and sets the `fd` of the first. Returns 0, or a negative errno after attach_report().
  int (*attach_many)(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *targets, uint32_t count);
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
extern const struct attach_family shim_attach_late;

// For families: loads_each of those that always do, and of those that do if the program asks for a cookie.
bool attach_loads_each(const struct pb_program *program);
bool attach_loads_each_for_cookie(const struct pb_program *program);

bool attach_is_linked(uint32_t attach_case);
const struct attach_family *attach_family_of(const struct pb_probe *probe);

// Finds the targets of all probes: tracer->targets. Returns 0, or a negative errno after reporting. What is missing is treated as
// the setting missing_probes says.
int attach_expand(struct tracer *tracer);
// The targets of one probe, which are neighbours.
struct target *attach_targets(const struct tracer *tracer, uint32_t probe, uint32_t *count);
// Attaches all probes. Returns the number of targets, or a negative errno after reporting.
int attach_all(struct tracer *tracer);
// Stops timers, then detaches all probes in reverse order.
void detach_all(struct tracer *tracer);
// Detaches one; nothing happens if it is not attached.
void detach_target(struct target *target);

// Fills the map of role USDT_ARGUMENTS. Returns 0, or a negative errno after reporting. In usdt.c.
int shim_fill_usdt_arguments(struct tracer *tracer, int map_fd);

// Runs the programs of BEGIN or END (PB_SPECIAL_*), or of the signal probes. Returns 0, or a negative errno after reporting. In
// special.c: a tracer without them does not have it.
int shim_run_special(struct tracer *tracer, uint32_t kind);

// Forgets them, when nothing is attached any more.
void targets_free(struct tracer *tracer);

// For families. Memory that is zero and lives until targets_free(); NULL if there is none.
void *targets_allocate(struct tracer *tracer, size_t size);
// Adds a target; the texts are copied. Returns 0 or -ENOMEM.
int target_add(struct tracer *tracer, uint32_t probe, const char *name, const char *group, const char *symbol, uint64_t address);
// Whether `text` is what `pattern` stands for: in it `*` is any text, also none.
bool target_matches(const char *pattern, const char *text);

// Opens a perf event, attaches the program and enables it. Returns the fd or a negative errno. With a cookie, which programs get by
// bpf_get_attach_cookie(), it is a link's.
int attach_perf_event(struct perf_event_attr *attr, int pid, int cpu, int program_fd, uint64_t cookie);
// The cookie of a target: its index and one; 0 if its program does not ask for it.
uint64_t attach_cookie(const struct tracer *tracer, const struct target *target);
// Whether the kernel hands cookies to programs (5.15). Where it does not, programs that ask for them are loaded for each target.
bool attach_has_cookies(void);
// Whether each target of a probe has a program of its own.
bool attach_is_per_target(const struct tracer *tracer, const struct pb_probe *probe);
// Whether one link holds all targets of a probe that has so many.
bool attach_has_one_link(const struct tracer *tracer, const struct pb_probe *probe, uint32_t targets);
// For families: reports that a target cannot be attached: "<component>: attach <target>: <cause>".
void attach_report(const struct tracer *tracer, const struct target *target, const char *component, int err);
// The same with a cause of the family's own.
void attach_report_cause(const struct tracer *tracer, const struct target *target, const char *component, const char *cause);

#endif
