// Many kernel functions at once: kprobe patterns, and links that hold all functions of a pattern (5.18).
#ifndef SHIM_ATTACH_KPROBE_MULTI_H
#define SHIM_ATTACH_KPROBE_MULTI_H

#include "shim/attach/attach.h"

// Whether the kernel has links that run one program at entry and return of functions (6.10).
bool kprobe_multi_has_sessions(void);

// As attach_family's functions of these names.
int kprobe_expand(struct tracer *tracer, uint32_t index);
bool kprobe_multi_has_one_link(const struct pb_probe *probe, uint32_t targets);
int kprobe_multi_prepare(struct tracer *tracer, const struct pb_probe *probe, const struct target *target,
                         struct bpf_prog_load_attr *load);
int kprobe_multi_attach(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *targets,
                        uint32_t count);

#endif
