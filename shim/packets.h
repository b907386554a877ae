// Packets, which skboutput() sends through a perf event array: a ring for each CPU. On their way into the script's files.
// A feature (features.h): linked with shim_action_skb_output.
#ifndef SHIM_PACKETS_H
#define SHIM_PACKETS_H

#include "shim/tracer.h"

// Opens the files of the script's skboutput() calls and the rings of `map`, which epoll_fd then watches. Reports what fails. Returns
// 0 or a negative errno; shim_packets_close() is due in both cases.
int shim_packets_open(struct tracer *tracer, const struct map *map, int epoll_fd);
void shim_packets_close(void);

// Writes the packets that are in the rings now. Reports what fails. Returns 0 or a negative errno.
int shim_packets_drain(struct tracer *tracer);

#endif
