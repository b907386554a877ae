// The part of the kernel's ABI that the shim uses, from include/uapi/linux/{bpf,btf,perf_event}.h.
//
// Written out here so that the shim builds with a bare libc (musl brings no kernel headers) and does not depend on how old the
// build host's headers are. `union bpf_attr` is one struct per command: the kernel takes any size and reads the rest as zero.
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <stdint.h>

#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))

enum bpf_command {
  BPF_MAP_CREATE = 0,
  BPF_MAP_LOOKUP_ELEM = 1,
  BPF_MAP_UPDATE_ELEM = 2,
  BPF_MAP_DELETE_ELEM = 3,
  BPF_MAP_GET_NEXT_KEY = 4,
  BPF_PROG_LOAD = 5,
  BPF_OBJ_PIN = 6,
  BPF_PROG_TEST_RUN = 10,
  BPF_PROG_GET_NEXT_ID = 11,
  BPF_PROG_GET_FD_BY_ID = 13,
  BPF_RAW_TRACEPOINT_OPEN = 17,
  BPF_BTF_LOAD = 18,
  BPF_BTF_GET_FD_BY_ID = 19,
  BPF_OBJ_GET_INFO_BY_FD = 15,
  BPF_MAP_FREEZE = 22,
  BPF_BTF_GET_NEXT_ID = 23,
  BPF_LINK_CREATE = 28,
  BPF_ITER_CREATE = 33,
};

enum {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
  BPF_MAP_TYPE_PERCPU_HASH = 5,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_LRU_PERCPU_HASH = 10,
  BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
  BPF_MAP_TYPE_HASH_OF_MAPS = 13,
  BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
  BPF_PROG_TYPE_KPROBE = 2,
  BPF_PROG_TYPE_TRACEPOINT = 5,
  BPF_PROG_TYPE_PERF_EVENT = 7,
  BPF_PROG_TYPE_RAW_TRACEPOINT = 17,
  BPF_PROG_TYPE_TRACING = 26,
};

// enum bpf_attach_type
enum {
  BPF_TRACE_FENTRY = 24,
  BPF_TRACE_FEXIT = 25,
  BPF_TRACE_ITER = 28,
  BPF_PERF_EVENT = 41,
  BPF_TRACE_KPROBE_MULTI = 42,
  BPF_TRACE_UPROBE_MULTI = 48,
  BPF_TRACE_KPROBE_SESSION = 56,
};

enum {
  BPF_PSEUDO_MAP_FD = 1,
  BPF_PSEUDO_MAP_VALUE = 2,
  BPF_PSEUDO_BTF_ID = 3,
  BPF_PSEUDO_KFUNC_CALL = 2,
};

enum { BPF_OPCODE_LD_IMM64 = 0x18, BPF_OPCODE_CALL = 0x85, BPF_OPCODE_EXIT = 0x95, BPF_OPCODE_MOV64_IMM = 0xb7 };
enum { BPF_FUNC_GET_ATTACH_COOKIE = 174 };

struct bpf_insn {
  uint8_t code;
  uint8_t registers;  // destination in the low four bits, source in the high ones
  int16_t off;
  int32_t imm;
};

struct bpf_map_create_attr {
  uint32_t map_type;
  uint32_t key_size;
  uint32_t value_size;
  uint32_t max_entries;
  uint32_t map_flags;
  uint32_t inner_map_fd;
  uint32_t numa_node;
  char map_name[16];
  uint32_t map_ifindex;
  uint32_t btf_fd;
  uint32_t btf_key_type_id;
  uint32_t btf_value_type_id;
};

struct bpf_map_elem_attr {
  uint32_t map_fd;
  uint32_t padding;
  uint64_t key;
  uint64_t value;  // or next_key
  uint64_t flags;
};

struct bpf_prog_load_attr {
  uint32_t prog_type;
  uint32_t insn_cnt;
  uint64_t insns;
  uint64_t license;
  uint32_t log_level;
  uint32_t log_size;
  uint64_t log_buf;
  uint32_t kern_version;
  uint32_t prog_flags;
  char prog_name[16];
  uint32_t prog_ifindex;
  uint32_t expected_attach_type;
  uint32_t prog_btf_fd;
  uint32_t func_info_rec_size;
  uint64_t func_info;
  uint32_t func_info_cnt;
  uint32_t line_info_rec_size;
  uint64_t line_info;
  uint32_t line_info_cnt;
  uint32_t attach_btf_id;
  uint32_t attach_object_fd;  // what attach_btf_id is an id of: a BPF program, or a module's BTF (5.11); 0 for vmlinux's
  uint32_t core_relo_cnt;    // 5.17; older kernels refuse a value other than zero with E2BIG
  uint64_t fd_array;         // 5.14
  uint64_t core_relos;       // 5.17
  uint32_t core_relo_rec_size;
  uint32_t log_true_size;
};

struct bpf_test_run_attr {
  uint32_t prog_fd;
  uint32_t retval;
  uint32_t data_size_in;
  uint32_t data_size_out;
  uint64_t data_in;
  uint64_t data_out;
  uint32_t repeat;
  uint32_t duration;
  uint32_t ctx_size_in;
  uint32_t ctx_size_out;
  uint64_t ctx_in;
  uint64_t ctx_out;
  uint32_t flags;
  uint32_t cpu;
  uint32_t batch_size;
  uint32_t padding;
};

struct bpf_raw_tracepoint_attr {
  uint64_t name;
  uint32_t prog_fd;
  uint32_t padding;
};

// Of BPF_LINK_CREATE: what follows the four common fields depends on the attach type.
struct bpf_link_create_perf_attr {
  uint32_t prog_fd;
  uint32_t target_fd;
  uint32_t attach_type;
  uint32_t flags;
  uint64_t bpf_cookie;
};

struct bpf_link_create_iter_attr {
  uint32_t prog_fd;
  uint32_t target_fd;
  uint32_t attach_type;
  uint32_t flags;
  uint64_t iter_info;
  uint32_t iter_info_len;
  uint32_t padding;
};

struct bpf_iter_create_attr {
  uint32_t link_fd;
  uint32_t flags;
};

struct bpf_obj_pin_attr {
  uint64_t pathname;
  uint32_t bpf_fd;
  uint32_t file_flags;
};

struct bpf_link_create_kprobe_multi_attr {
  uint32_t prog_fd;
  uint32_t target_fd;
  uint32_t attach_type;
  uint32_t flags;
  uint32_t kprobe_flags;
  uint32_t count;
  uint64_t symbols;
  uint64_t addresses;
  uint64_t cookies;
};

struct bpf_link_create_uprobe_multi_attr {
  uint32_t prog_fd;
  uint32_t target_fd;
  uint32_t attach_type;
  uint32_t flags;
  uint64_t path;
  uint64_t offsets;
  uint64_t ref_ctr_offsets;
  uint64_t cookies;
  uint32_t count;
  uint32_t uprobe_flags;
  uint32_t pid;
  uint32_t padding;
};

enum { BPF_F_MMAPABLE = 1 << 10, BPF_F_INNER_MAP = 1 << 12 };
enum { BPF_F_KPROBE_MULTI_RETURN = 1, BPF_F_UPROBE_MULTI_RETURN = 1 };

struct bpf_btf_load_attr {
  uint64_t btf;
  uint64_t log_buf;
  uint32_t size;
  uint32_t log_size;
  uint32_t log_level;
  uint32_t padding;
};

struct bpf_get_id_attr {
  uint32_t start_id;  // or id
  uint32_t next_id;
  uint32_t open_flags;
};

struct bpf_obj_info_attr {
  uint32_t fd;
  uint32_t info_len;
  uint64_t info;
};

struct bpf_btf_info {
  uint64_t btf;
  uint32_t btf_size;
  uint32_t id;
  uint64_t name;
  uint32_t name_len;
  uint32_t kernel_btf;
};

struct bpf_prog_info {
  uint32_t type;
  uint32_t id;
  uint64_t tag;
  uint32_t jited_prog_len;
  uint32_t xlated_prog_len;
  uint64_t jited_prog_insns;
  uint64_t xlated_prog_insns;
  uint64_t load_time;
  uint32_t created_by_uid;
  uint32_t nr_map_ids;
  uint64_t map_ids;
  char name[16];
  uint32_t ifindex;
  uint32_t gpl_compatible;
  uint64_t netns_dev;
  uint64_t netns_ino;
  uint32_t nr_jited_ksyms;
  uint32_t nr_jited_func_lens;
  uint64_t jited_ksyms;
  uint64_t jited_func_lens;
  uint32_t btf_id;
  uint32_t func_info_rec_size;
  uint64_t func_info;
  uint32_t nr_func_info;
  uint32_t nr_line_info;
};

struct bpf_func_info {
  uint32_t insn_off;  // in instructions
  uint32_t type_id;
};

struct bpf_core_relo {
  uint32_t insn_off;  // in bytes
  uint32_t type_id;
  uint32_t access_str_off;
  uint32_t kind;
};

// The ring buffer of BPF_MAP_TYPE_RINGBUF.
enum { BPF_RINGBUF_HEADER_SIZE = 8 };
#define BPF_RINGBUF_BUSY_BIT (1u << 31)
#define BPF_RINGBUF_DISCARD_BIT (1u << 30)

enum { PERF_TYPE_SOFTWARE = 1, PERF_TYPE_TRACEPOINT = 2, PERF_TYPE_BREAKPOINT = 5 };
enum { PERF_COUNT_SW_CPU_CLOCK = 0, PERF_COUNT_SW_DUMMY = 9, PERF_COUNT_SW_BPF_OUTPUT = 10 };
enum { PERF_SAMPLE_TIME = 1 << 2, PERF_SAMPLE_RAW = 1 << 10 };  // of sample_type

// A record of a perf event's ring. Its size has 16 bits.
enum { PERF_RECORD_COMM = 3, PERF_RECORD_FORK = 7, PERF_RECORD_SAMPLE = 9, PERF_RECORD_MMAP2 = 10, PERF_LARGEST_RECORD = 1 << 16 };
enum { PERF_RECORD_MISC_COMM_EXEC = 1 << 13 };

struct perf_event_header {
  uint32_t type;
  uint16_t misc;
  uint16_t size;
};

// struct perf_event_mmap_page: data_head, which the kernel writes, and data_tail, which the reader does.
enum { PERF_DATA_HEAD_OFFSET = 1024, PERF_DATA_TAIL_OFFSET = 1032 };

// struct perf_event_attr in the size that has a clock (PERF_ATTR_SIZE_VER5, 112 bytes, Linux 4.1).
struct perf_event_attr {
  uint32_t type;
  uint32_t size;
  uint64_t config;
  uint64_t sample_period;  // or sample_freq
  uint64_t sample_type;
  uint64_t read_format;
  uint64_t flags;
  uint32_t wakeup_events;  // or wakeup_watermark, in bytes
  uint32_t bp_type;
  uint64_t config1;  // kprobe_func, uprobe_path, bp_addr
  uint64_t config2;  // probe_offset, or kprobe_addr without a function; bp_len
  uint64_t branch_sample_type;
  uint64_t sample_regs_user;
  uint32_t sample_stack_user;
  int32_t clockid;
  uint64_t sample_regs_intr;
  uint32_t aux_watermark;
  uint32_t sample_max_stack;
};

#define PERF_ATTR_FLAG_DISABLED (1ull << 0)
#define PERF_ATTR_FLAG_MMAP (1ull << 8)
#define PERF_ATTR_FLAG_COMM (1ull << 9)
#define PERF_ATTR_FLAG_FREQ (1ull << 10)
#define PERF_ATTR_FLAG_TASK (1ull << 13)
#define PERF_ATTR_FLAG_WATERMARK (1ull << 14)
#define PERF_ATTR_FLAG_SAMPLE_ID_ALL (1ull << 18)
#define PERF_ATTR_FLAG_MMAP2 (1ull << 23)
#define PERF_ATTR_FLAG_COMM_EXEC (1ull << 24)
#define PERF_ATTR_FLAG_USE_CLOCKID (1ull << 25)

#define PERF_FLAG_FD_CLOEXEC (1ul << 3)

// _IO('$', n) and _IOW('$', 8, __u32), the same on x86-64 and arm64.
#define PERF_EVENT_IOC_ENABLE 0x2400
#define PERF_EVENT_IOC_DISABLE 0x2401
#define PERF_EVENT_IOC_SET_BPF 0x40042408

// BTF.
enum { BTF_MAGIC = 0xeb9f };

enum {
  BTF_KIND_VOID = 0,
  BTF_KIND_INT = 1,
  BTF_KIND_PTR = 2,
  BTF_KIND_ARRAY = 3,
  BTF_KIND_STRUCT = 4,
  BTF_KIND_UNION = 5,
  BTF_KIND_ENUM = 6,
  BTF_KIND_FWD = 7,
  BTF_KIND_TYPEDEF = 8,
  BTF_KIND_VOLATILE = 9,
  BTF_KIND_CONST = 10,
  BTF_KIND_RESTRICT = 11,
  BTF_KIND_FUNC = 12,
  BTF_KIND_FUNC_PROTO = 13,
  BTF_KIND_VAR = 14,
  BTF_KIND_DATASEC = 15,
  BTF_KIND_FLOAT = 16,
  BTF_KIND_DECL_TAG = 17,
  BTF_KIND_TYPE_TAG = 18,
  BTF_KIND_ENUM64 = 19,
};

struct btf_header {
  uint16_t magic;
  uint8_t version;
  uint8_t flags;
  uint32_t hdr_len;
  uint32_t type_off;
  uint32_t type_len;
  uint32_t str_off;
  uint32_t str_len;
};

struct btf_type {
  uint32_t name_off;
  uint32_t info;  // vlen in bits 0..15, kind in 24..28, kind flag in 31
  uint32_t size;  // or type
};

struct btf_array {
  uint32_t type;
  uint32_t index_type;
  uint32_t nelems;
};

struct btf_member {
  uint32_t name_off;
  uint32_t type;
  uint32_t offset;  // in bits; with the kind flag, the size of a bitfield is in bits 24..31
};

struct btf_enum {
  uint32_t name_off;
  int32_t val;
};

struct btf_enum64 {
  uint32_t name_off;
  uint32_t val_lo32;
  uint32_t val_hi32;
};

#endif
