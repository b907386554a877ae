typedef unsigned long long u64;
typedef unsigned int u32;
#define SEC(name) __attribute__((section(name), used))
struct task_struct {
  int pid;
  struct {
    union {
      int y;
      char comm[16];
    };
  };
} __attribute__((preserve_access_index));
enum zone_type { ZONE_DMA, ZONE_NORMAL };
struct own {
  int a;
  struct task_struct *task;
};
static long (*const bpf_probe_read_kernel)(void *dst, u32 size, const void *p) = (void *)113;
static void *(*const bpf_map_lookup_elem)(void *m, const void *p) = (void *)1;
static long (*const bpf_for_each_map_elem)(void *m, void *cb, void *ctx, u64 flags) = (void *)164;
struct {
  int (*type)[1];
  int *key;
  long *value;
  int (*max_entries)[16];
} counts SEC(".maps");
static long total;
const volatile int limit = 5;
int thread(struct task_struct *t) {
  int r = 0;
  bpf_probe_read_kernel(&r, 4, &t->pid);
  return r;
}
int letter(struct task_struct *t) {
  char r = 0;
  bpf_probe_read_kernel(&r, 1, &t->comm[2]);
  return r;
}
u64 normal(void) { return __builtin_preserve_enum_value(*(enum zone_type *)ZONE_NORMAL, 1); }
static long visit(void *m, const void *k, void *v, void *c) {
  total++;
  return 0;
}
long tally(int k) {
  long *v = bpf_map_lookup_elem(&counts, &k);
  if (v) *v += limit;
  bpf_for_each_map_elem(&counts, &visit, 0, 0);
  return total;
}
_Bool both(_Bool x, unsigned char c) { return x && c; }
signed char small(signed char x) { return x - 1; }
struct own *same(struct own *x) { return x; }
void nothing(int x) {}
