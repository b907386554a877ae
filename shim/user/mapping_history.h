// What processes have mapped for execution, beyond their ends.
#ifndef SHIM_USER_MAPPING_HISTORY_H
#define SHIM_USER_MAPPING_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/user/mappings.h"

// It has bounded memory: the oldest is forgotten first.
//
// A record is one of PERF_RECORD_MMAP2, _COMM at exec, and _FORK, with the time (PERF_SAMPLE_TIME) as its last eight bytes. They may
// come in any order. Others are refused by `false`.
bool mapping_history_add(const uint8_t *record, uint32_t size);
// The same for what was mapped before there were records.
void mapping_history_add_mapping(uint32_t pid, const struct mapping *mapping);
// What a process had mapped last, newest first. Returns 0 or a negative errno, -ENOENT if nothing is known; release with mappings_free().
int mapping_history_read(uint32_t pid, struct mappings *mappings);
void mapping_history_free(void);

#endif
