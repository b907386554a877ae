// Events from the programs: the ring buffer, the counter of those that found it full, and signals.
#ifndef SHIM_EVENTS_H
#define SHIM_EVENTS_H

#include "shim/tracer.h"

struct events;

// Blocks SIGINT and SIGTERM, so that they are noticed in events_wait() only. After the first one the default action is back: a
// second one ends the process at once.
void events_catch_signals(void);

// Maps the ring buffer of the resources, if they have one. Reports what fails. Returns 0 or a negative errno; events_close() is
// due in both cases.
int events_open(struct tracer *tracer, struct events **opened_events);
void events_close(struct events *events);

// Runs the actions of all events that are in the ring buffer now. After exit() the rest is dropped. Returns 0, or the negative errno
// of an action that failed.
int events_drain(struct tracer *tracer, struct events *events);
// Drains until exit(), a signal, or the end of the traced process.
int events_wait(struct tracer *tracer, struct events *events);
// Reports how many events were lost since the last report.
void events_report_loss(struct tracer *tracer, struct events *events);
// Reports how many were lost in all, if any were.
void events_report_total_loss(struct tracer *tracer, struct events *events);

#endif
