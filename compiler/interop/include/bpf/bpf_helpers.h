/* What BPF code in C is written with: helpers, sections, map definitions. */
#ifndef __BPF_HELPERS__
#define __BPF_HELPERS__

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#include <bpf/bpf_helper_defs.h>

/* Members of a map definition: numbers and types, as the types of pointers that nobody follows. */
#define __uint(name, value) int(*name)[value]
#define __type(name, type) __typeof__(type) *name
#define __array(name, type) __typeof__(type) *name[]
#define __ulong(name, value) enum { name##__unique_value = (value) } name

#define SEC(name) __attribute__((section(name), used))

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#define __hidden __attribute__((visibility("hidden")))
#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))

#ifndef NULL
#define NULL ((void *)0)
#endif
#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
#ifndef container_of
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
#endif
#ifndef KERNEL_VERSION
#define KERNEL_VERSION(major, minor, patch) \
  (((major) << 16) + ((minor) << 8) + ((patch) > 255 ? 255 : (patch)))
#endif
#ifndef typeof
#define typeof __typeof__
#endif

/* Output for trace_pipe, of up to three values. */
#define bpf_printk(format, ...)                                                     \
  ({                                                                                \
    static const char bpf_format[] = format;                                        \
    bpf_trace_printk(bpf_format, sizeof(bpf_format) __VA_OPT__(, ) __VA_ARGS__);     \
  })

#endif
