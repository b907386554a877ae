/* Access to kernel structures that is relocated on the target (CO-RE). */
#ifndef __BPF_CORE_READ_H__
#define __BPF_CORE_READ_H__

#include <bpf/bpf_helpers.h>

/* The numbers of clang's builtins (BPFCORE.h of LLVM). */
#define __BPF_CORE_FIELD_OFFSET 0
#define __BPF_CORE_FIELD_SIZE 1
#define __BPF_CORE_FIELD_EXISTS 2
#define __BPF_CORE_FIELD_SIGNED 3
#define __BPF_CORE_FIELD_LSHIFT 4
#define __BPF_CORE_FIELD_RSHIFT 5
#define __BPF_CORE_TYPE_EXISTS 0
#define __BPF_CORE_TYPE_SIZE 1
#define __BPF_CORE_VALUE_EXISTS 0
#define __BPF_CORE_VALUE 1

#define __BPF_CAT(a, b) a##b
#define __BPF_CAT_EXPANDED(a, b) __BPF_CAT(a, b)
#define __BPF_NTH(_1, _2, _3, _4, _5, _6, _7, _8, _9, n, ...) n
#define __BPF_COUNT(...) __BPF_NTH(__VA_ARGS__, 9, 8, 7, 6, 5, 4, 3, 2, 1)

/* A field is `pointer->member` or `type, member`. */
#define __BPF_FIELD_1(field) (field)
#define __BPF_FIELD_2(type, member) (((__typeof__(type) *)0)->member)
#define __BPF_FIELD(...) __BPF_CAT_EXPANDED(__BPF_FIELD_, __BPF_COUNT(__VA_ARGS__))(__VA_ARGS__)

#define bpf_core_field_exists(...) \
  __builtin_preserve_field_info(__BPF_FIELD(__VA_ARGS__), __BPF_CORE_FIELD_EXISTS)
#define bpf_core_field_size(...) __builtin_preserve_field_info(__BPF_FIELD(__VA_ARGS__), __BPF_CORE_FIELD_SIZE)
#define bpf_core_field_offset(...) \
  __builtin_preserve_field_info(__BPF_FIELD(__VA_ARGS__), __BPF_CORE_FIELD_OFFSET)
#define bpf_core_type_exists(type) \
  __builtin_preserve_type_info(*(__typeof__(type) *)0, __BPF_CORE_TYPE_EXISTS)
#define bpf_core_type_size(type) __builtin_preserve_type_info(*(__typeof__(type) *)0, __BPF_CORE_TYPE_SIZE)
#define bpf_core_enum_value_exists(type, value) \
  __builtin_preserve_enum_value(*(__typeof__(type) *)value, __BPF_CORE_VALUE_EXISTS)
#define bpf_core_enum_value(type, value) __builtin_preserve_enum_value(*(__typeof__(type) *)value, __BPF_CORE_VALUE)

#define bpf_core_read(to, size, from) \
  bpf_probe_read_kernel(to, size, (const void *)__builtin_preserve_access_index(from))
#define bpf_core_read_user(to, size, from) \
  bpf_probe_read_user(to, size, (const void *)__builtin_preserve_access_index(from))
#define bpf_core_read_str(to, size, from) \
  bpf_probe_read_kernel_str(to, size, (const void *)__builtin_preserve_access_index(from))
#define bpf_core_read_user_str(to, size, from) \
  bpf_probe_read_user_str(to, size, (const void *)__builtin_preserve_access_index(from))

/* A way through pointers, `source, a, b, c` for source->a->b->c: every pointer on it is read, then the last member. */
#define __BPF_PATH_2(s, a) (s)->a
#define __BPF_PATH_3(s, a, ...) __BPF_PATH_2((s)->a, __VA_ARGS__)
#define __BPF_PATH_4(s, a, ...) __BPF_PATH_3((s)->a, __VA_ARGS__)
#define __BPF_PATH_5(s, a, ...) __BPF_PATH_4((s)->a, __VA_ARGS__)
#define __BPF_PATH_6(s, a, ...) __BPF_PATH_5((s)->a, __VA_ARGS__)
#define __BPF_PATH_7(s, a, ...) __BPF_PATH_6((s)->a, __VA_ARGS__)
#define __BPF_PATH_8(s, a, ...) __BPF_PATH_7((s)->a, __VA_ARGS__)
#define __BPF_PATH_9(s, a, ...) __BPF_PATH_8((s)->a, __VA_ARGS__)
#define __BPF_PATH(...) __BPF_CAT_EXPANDED(__BPF_PATH_, __BPF_COUNT(__VA_ARGS__))(__VA_ARGS__)

/* One macro for each length: the preprocessor does not expand a macro inside itself. */
#define __BPF_POINTER(read, pointer, s, a) \
  __typeof__((s)->a) pointer;              \
  read(&pointer, sizeof(pointer), &(s)->a)
#define __BPF_WALK_2(read, last, to, size, s, a) last(to, size, &(s)->a)
#define __BPF_WALK_3(read, last, to, size, s, a, ...)          \
  ({                                                            \
    __BPF_POINTER(read, __p3, s, a);                           \
    __BPF_WALK_2(read, last, to, size, __p3, __VA_ARGS__);   \
  })
#define __BPF_WALK_4(read, last, to, size, s, a, ...)          \
  ({                                                            \
    __BPF_POINTER(read, __p4, s, a);                           \
    __BPF_WALK_3(read, last, to, size, __p4, __VA_ARGS__);   \
  })
#define __BPF_WALK_5(read, last, to, size, s, a, ...)          \
  ({                                                            \
    __BPF_POINTER(read, __p5, s, a);                           \
    __BPF_WALK_4(read, last, to, size, __p5, __VA_ARGS__);   \
  })
#define __BPF_WALK_6(read, last, to, size, s, a, ...)          \
  ({                                                            \
    __BPF_POINTER(read, __p6, s, a);                           \
    __BPF_WALK_5(read, last, to, size, __p6, __VA_ARGS__);   \
  })
#define __BPF_WALK_7(read, last, to, size, s, a, ...)          \
  ({                                                            \
    __BPF_POINTER(read, __p7, s, a);                           \
    __BPF_WALK_6(read, last, to, size, __p7, __VA_ARGS__);   \
  })
#define __BPF_WALK_8(read, last, to, size, s, a, ...)          \
  ({                                                            \
    __BPF_POINTER(read, __p8, s, a);                           \
    __BPF_WALK_7(read, last, to, size, __p8, __VA_ARGS__);   \
  })
#define __BPF_WALK_9(read, last, to, size, s, a, ...)          \
  ({                                                            \
    __BPF_POINTER(read, __p9, s, a);                           \
    __BPF_WALK_8(read, last, to, size, __p9, __VA_ARGS__);   \
  })
#define __BPF_WALK(read, last, to, size, ...) \
  __BPF_CAT_EXPANDED(__BPF_WALK_, __BPF_COUNT(__VA_ARGS__))(read, last, to, size, __VA_ARGS__)

#define __BPF_VALUE(read, ...)                                       \
  ({                                                                 \
    __typeof__(__BPF_PATH(__VA_ARGS__)) __value;                     \
    __BPF_WALK(read, read, &__value, sizeof(__value), __VA_ARGS__);  \
    __value;                                                         \
  })

#define BPF_CORE_READ(...) __BPF_VALUE(bpf_core_read, __VA_ARGS__)
#define BPF_CORE_READ_USER(...) __BPF_VALUE(bpf_core_read_user, __VA_ARGS__)
#define BPF_PROBE_READ(...) __BPF_VALUE(bpf_probe_read_kernel, __VA_ARGS__)
#define BPF_PROBE_READ_USER(...) __BPF_VALUE(bpf_probe_read_user, __VA_ARGS__)

#define BPF_CORE_READ_INTO(to, ...) __BPF_WALK(bpf_core_read, bpf_core_read, to, sizeof(*(to)), __VA_ARGS__)
#define BPF_CORE_READ_USER_INTO(to, ...) \
  __BPF_WALK(bpf_core_read_user, bpf_core_read_user, to, sizeof(*(to)), __VA_ARGS__)
#define BPF_PROBE_READ_INTO(to, ...) \
  __BPF_WALK(bpf_probe_read_kernel, bpf_probe_read_kernel, to, sizeof(*(to)), __VA_ARGS__)
#define BPF_PROBE_READ_USER_INTO(to, ...) \
  __BPF_WALK(bpf_probe_read_user, bpf_probe_read_user, to, sizeof(*(to)), __VA_ARGS__)
#define BPF_CORE_READ_STR_INTO(to, ...) __BPF_WALK(bpf_core_read, bpf_core_read_str, to, sizeof(*(to)), __VA_ARGS__)
#define BPF_CORE_READ_USER_STR_INTO(to, ...) \
  __BPF_WALK(bpf_core_read_user, bpf_core_read_user_str, to, sizeof(*(to)), __VA_ARGS__)
#define BPF_PROBE_READ_STR_INTO(to, ...) \
  __BPF_WALK(bpf_probe_read_kernel, bpf_probe_read_kernel_str, to, sizeof(*(to)), __VA_ARGS__)
#define BPF_PROBE_READ_USER_STR_INTO(to, ...) \
  __BPF_WALK(bpf_probe_read_user, bpf_probe_read_user_str, to, sizeof(*(to)), __VA_ARGS__)

/* A bitfield: the word that holds it is read, then shifted to both ends. */
#define BPF_CORE_READ_BITFIELD_PROBED(s, field)                                                          \
  ({                                                                                                     \
    unsigned long long __word = 0;                                                                       \
    bpf_probe_read_kernel(&__word, __builtin_preserve_field_info((s)->field, __BPF_CORE_FIELD_SIZE),     \
                          (const char *)(s) +                                                            \
                              __builtin_preserve_field_info((s)->field, __BPF_CORE_FIELD_OFFSET));       \
    __word <<= __builtin_preserve_field_info((s)->field, __BPF_CORE_FIELD_LSHIFT);                       \
    __builtin_preserve_field_info((s)->field, __BPF_CORE_FIELD_SIGNED)                                   \
        ? (unsigned long long)((long long)__word >>                                                      \
                               __builtin_preserve_field_info((s)->field, __BPF_CORE_FIELD_RSHIFT))       \
        : __word >> __builtin_preserve_field_info((s)->field, __BPF_CORE_FIELD_RSHIFT);                  \
  })
#define BPF_CORE_READ_BITFIELD(s, field) BPF_CORE_READ_BITFIELD_PROBED(s, field)

#endif
