#include "shim/maps.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/constants.h"
#include "shim/host.h"
#include "shim/parameters.h"
#include "shim/report.h"
#include "shim/tracer.h"

#pragma weak shim_fill_usdt_arguments
#pragma weak shim_fill_target_places

static bool is_per_cpu(uint32_t bpf_type) {
  return bpf_type == BPF_MAP_TYPE_PERCPU_HASH || bpf_type == BPF_MAP_TYPE_PERCPU_ARRAY ||
         bpf_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_array(uint32_t bpf_type) {
  return bpf_type == BPF_MAP_TYPE_ARRAY || bpf_type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static uint32_t round_up_8(uint32_t size) {
  return (size + 7) & ~7u;
}

// The kernel takes [A-Za-z0-9_.] in names: "@reads" becomes "AT_reads", as upstream has it.
static void make_kernel_name(const char *name, char kernel_name[16]) {
  size_t used = 0;
  for (; *name && used < 15; name++) {
    if (*name == '@') {
      for (const char *at = "AT_"; *at && used < 15; at++)
        kernel_name[used++] = *at;
    } else {
      bool allowed = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9');
      kernel_name[used] = '_';
      if (allowed)
        kernel_name[used] = *name;
      used++;
    }
  }
}

static int fill_global_data(struct tracer *tracer, uint32_t index) {
  const struct map *map = &tracer->maps[index];
  const uint32_t key = 0;
  uint8_t *data = malloc(map->info->value_size);
  if (!data)
    return -ENOMEM;
  memcpy(data, map->info->initial_value.data, map->info->initial_value.size);
  parameters_fill(tracer, index, data);
  int err = bpf_map_update(map->fd, &key, data);
  free(data);
  return err;
}

// By their cookies (attach_cookie()); entry 0 stays empty.
static int fill_target_names(const struct tracer *tracer, const struct map *map) {
  uint32_t half = map->info->value_size / 2;
  char *value = malloc(map->info->value_size);
  int err = value ? 0 : -ENOMEM;
  for (uint32_t i = 0; i < tracer->targets_count && !err; i++) {
    const struct target *target = &tracer->targets[i];
    uint32_t cookie = i + 1;
    if (!tracer->resources->programs[tracer->resources->probes[target->probe].program].uses_cookie)
      continue;
    if (strlen(target->name) >= half) {
      report(REPORT_ERROR, tracer->resources, tracer->resources->probes[target->probe].span,
             "attach: name %s: longer than the %u bytes that programs have room for", target->name, half - 1);
      err = -ENAMETOOLONG;
      break;
    }
    memset(value, 0, map->info->value_size);
    memcpy(value, target->name, strlen(target->name));
    if (strlen(target->symbol) < half)
      memcpy(value + half, target->symbol, strlen(target->symbol));
    err = bpf_map_update(map->fd, &cookie, value);
  }
  free(value);
  return err;
}

// What the host decides, not the compiler: how many targets there are, or CPUs.
static int count_entries(const struct tracer *tracer, const struct pb_map *info, uint32_t *count) {
  struct cpu_list cpus;
  int err = 0;
  switch (info->role) {
    case PB_MAP_TARGET_NAMES:
    case PB_MAP_USDT_ARGUMENTS:
    case PB_MAP_TARGET_PLACES:
      *count = tracer->targets_count + 1;
      return 0;
    case PB_MAP_PACKETS:
      err = host_read_cpu_list("/sys/devices/system/cpu/possible", &cpus);
      *count = err ? 0 : cpus.highest + 1;
      return err;
    default:
      *count = info->max_entries;
      return 0;
  }
}

// A map of maps is created with an array that shows what will be in it.
static int create_example(const struct pb_map *info) {
  struct bpf_map_create_attr attr = {
      .map_type = BPF_MAP_TYPE_ARRAY,
      .key_size = sizeof(uint32_t),
      .value_size = info->inner_value_size,
      .max_entries = 1,
      .map_flags = MAPS_INNER_FLAGS,
  };
  return bpf_call_allocating(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int create(struct tracer *tracer, uint32_t index, int btf_fd) {
  const struct pb_map *info = &tracer->resources->maps[index];
  struct map *map = &tracer->maps[index];
  map->info = info;
  map->value_stride = round_up_8(info->value_size);
  map->cpus = 1;
  if (is_per_cpu(info->bpf_type)) {
    int cpus = host_possible_cpus();
    if (cpus < 0)
      return cpus;
    map->cpus = (uint32_t)cpus;
  }
  struct bpf_map_create_attr attr = {
      .map_type = info->bpf_type,
      .key_size = info->key_size,
      .value_size = info->value_size,
      .map_flags = info->flags,
  };
  int err = count_entries(tracer, info, &attr.max_entries);
  if (err)
    return err;
  make_kernel_name(info->name, attr.map_name);
  if (info->value_btf_type) {
    attr.btf_fd = (uint32_t)btf_fd;
    attr.btf_key_type_id = info->key_btf_type;
    attr.btf_value_type_id = info->value_btf_type;
  }
  int example = info->inner_value_size ? create_example(info) : 0;
  if (example < 0)
    return example;
  attr.inner_map_fd = (uint32_t)example;
  map->fd = bpf_call_allocating(BPF_MAP_CREATE, &attr, sizeof(attr));
  if (info->inner_value_size)
    close(example);
  if (map->fd < 0)
    return map->fd;

  err = info->role == PB_MAP_GLOBAL_DATA      ? fill_global_data(tracer, index)
        : info->role == PB_MAP_TARGET_NAMES   ? fill_target_names(tracer, map)
        : info->role == PB_MAP_USDT_ARGUMENTS ? shim_fill_usdt_arguments(tracer, map->fd)
        : info->role == PB_MAP_TARGET_PLACES  ? shim_fill_target_places(tracer, map->fd)
                                              : 0;
  if (!err && info->frozen) {
    struct bpf_map_elem_attr freeze = {.map_fd = (uint32_t)map->fd};
    err = bpf_call(BPF_MAP_FREEZE, &freeze, sizeof(freeze));
  }
  return err;
}

static void report_failure(const struct tracer *tracer, const struct pb_map *info, int err) {
  // In older kernels (5.10 is one) the keys of hash maps have to fit the BPF stack.
  enum { OLD_MAX_KEY_SIZE = 512 };
  if (err == -E2BIG && info->key_size > OLD_MAX_KEY_SIZE)
    report(REPORT_ERROR, tracer->resources, info->span,
           "bpf: create map %s: its keys of %u bytes are too large for this kernel (%s), which takes %d: lower max_strlen or the limit of a stack",
           info->name, info->key_size, host_release(), OLD_MAX_KEY_SIZE);
  else
    report(REPORT_ERROR, tracer->resources, info->span, "bpf: create map %s: %s%s", info->name, report_cause(err),
           report_privilege_hint(err));
}

int maps_create(struct tracer *tracer, int btf_fd) {
  uint32_t count = tracer->resources->maps_count;
  tracer->maps = calloc(count ? count : 1, sizeof(*tracer->maps));
  if (!tracer->maps)
    return -ENOMEM;
  for (uint32_t i = 0; i < count; i++)
    tracer->maps[i].fd = -1;
  for (uint32_t i = 0; i < count; i++) {
    int err = create(tracer, i, btf_fd);
    if (err) {
      report_failure(tracer, &tracer->resources->maps[i], err);
      return err;
    }
  }
  return 0;
}

void maps_close(struct tracer *tracer) {
  if (!tracer->maps)
    return;
  for (uint32_t i = 0; i < tracer->resources->maps_count; i++)
    if (tracer->maps[i].fd >= 0)
      close(tracer->maps[i].fd);
  free(tracer->maps);
  tracer->maps = NULL;
}

int map_lookup(const struct map *map, const void *key, void *values) {
  return bpf_map_lookup(map->fd, key, values);
}

// Makes room for one more entry.
static int reserve(struct map_contents *contents, uint32_t *capacity) {
  if (contents->count < *capacity)
    return 0;
  uint32_t larger = *capacity ? *capacity * 2 : 64;
  if (larger < *capacity || (size_t)larger > SIZE_MAX / contents->entry_size)
    return -ENOMEM;
  uint8_t *data = realloc(contents->data, (size_t)larger * contents->entry_size);
  if (!data)
    return -ENOMEM;
  contents->data = data;
  *capacity = larger;
  return 0;
}

int map_read(const struct map *map, struct map_contents *contents) {
  *contents = (struct map_contents){
      .key_stride = round_up_8(map->info->key_size),
      .value_stride = map->value_stride,
      .cpus = map->cpus,
  };
  uint64_t entry_size = contents->key_stride + (uint64_t)contents->cpus * contents->value_stride;
  if (entry_size > UINT32_MAX)
    return -E2BIG;
  contents->entry_size = (uint32_t)entry_size;
  uint32_t capacity = 0;
  uint8_t *previous = NULL;  // one of the two halves of `key`
  int err = 0;
  uint8_t *key = calloc(2, contents->key_stride);
  if (!key)
    return -ENOMEM;
  // A key that is deleted while we stand on it makes the kernel begin again; the bound ends that.
  for (uint64_t steps = 0; steps <= 2 * (uint64_t)map->info->max_entries; steps++) {
    uint8_t *next = previous == key ? key + contents->key_stride : key;
    err = bpf_map_next_key(map->fd, previous, next);
    if (err == -ENOENT) {
      err = 0;
      break;
    }
    if (err)
      break;
    previous = next;
    err = reserve(contents, &capacity);
    if (err)
      break;
    uint8_t *entry = contents->data + (size_t)contents->count * contents->entry_size;
    memset(entry, 0, contents->entry_size);
    memcpy(entry, next, map->info->key_size);
    err = bpf_map_lookup(map->fd, next, entry + contents->key_stride);
    if (!err)
      contents->count++;
    else if (err != -ENOENT)
      break;
  }
  free(key);
  if (err)
    map_contents_free(contents);
  return err;
}

void map_contents_free(struct map_contents *contents) {
  free(contents->data);
  contents->data = NULL;
  contents->count = 0;
}

// Deletes every key or sets every value to zero. The keys are collected first: deleting while stepping from key to key
// would make the kernel begin again each time.
static int reset(const struct map *map, bool keep_keys) {
  struct map_contents contents;
  int err = map_read(map, &contents);
  if (err)
    return err;
  void *zeros = calloc(map->cpus, map->value_stride);
  err = zeros ? 0 : -ENOMEM;
  for (uint32_t i = 0; !err && i < contents.count; i++) {
    const uint8_t *key = map_contents_key(&contents, i);
    err = keep_keys || is_array(map->info->bpf_type) ? bpf_map_update(map->fd, key, zeros) : bpf_map_delete(map->fd, key);
    if (err == -ENOENT)  // a program was faster
      err = 0;
  }
  free(zeros);
  map_contents_free(&contents);
  return err;
}

int map_clear(const struct map *map) {
  return reset(map, false);
}

int map_zero(const struct map *map) {
  return reset(map, true);
}
