// Messages for the operator, on stderr, in the form that the compiler's diagnostics have:
//
//     opensnoop.bt:3:5-9: ERROR: tracepoint: attach syscalls:sys_enter_opn: not on this kernel (6.1.0)
//     the source line
//     ~~~~
//
// A message reads `component: action object: cause`. It is written in one write(2), so that it does not mix with others', unless
// it is larger than a writer's buffer.
#ifndef SHIM_REPORT_H
#define SHIM_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/output/writer.h"
#include "shim/resources.h"

enum report_severity { REPORT_ERROR, REPORT_WARNING };

// `span` is an index into resources->spans, 0 for none; `resources` may be NULL then. With a span inside a macro, the places
// that it was expanded from follow.
void report(enum report_severity severity, const struct pb_required_resources *resources, uint32_t span, const char *format,
            ...) __attribute__((format(printf, 4, 5)));

// A line to stderr without severity or place.
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

// For a message of which the caller writes the text: report_begin() writes what comes before it (and initializes `writer`),
// report_end() drops a newline at the end of the text, writes what comes after it, and sends. The source line of the span itself
// is shown with `show_source`; those of the places that it was expanded from always are.
void report_begin(struct writer *writer, enum report_severity severity, const struct pb_required_resources *resources,
                  uint32_t span);
void report_end(struct writer *writer, enum report_severity severity, const struct pb_required_resources *resources,
                uint32_t span, bool show_source);

// strerror without the locale; never NULL. Takes an errno of either sign.
const char *report_cause(int err);

// What to add to the message of a failed bpf(2) or perf_event_open(2): a hint for EPERM, else "".
const char *report_privilege_hint(int err);

// What to add to the message of a failed read of tracefs, which is root's: a hint for EACCES, else "".
const char *report_closed_hint(int err);

#endif
