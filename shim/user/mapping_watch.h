// Tells the history of mappings (mapping_history.h) what processes map. A feature of tracers that print names of user addresses.
#ifndef SHIM_USER_MAPPING_WATCH_H
#define SHIM_USER_MAPPING_WATCH_H

struct tracer;

// Begins to watch, before anything is attached; only the process of -p, if there is one. What is not possible, for want of a privilege,
// a warning says: all else works without.
void shim_mappings_open(const struct tracer *tracer, int epoll_fd);
// Takes over what the kernel has recorded. The first call also adds what all processes had mapped before: that takes time (a host may have
// thousands), so probes are attached first.
void shim_mappings_drain(void);
void shim_mappings_close(void);

#endif
