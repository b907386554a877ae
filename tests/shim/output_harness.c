// Runs the text output on resources, events and map contents that a test gives, without a kernel. See output_script.py.
//
//     output_harness < script
//
// A script is a sequence of chunks: u32 kind, u32 size, `size` bytes. The first one holds the resources. Numbers are
// little-endian.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/output/histogram.h"
#include "shim/output/output.h"
#include "shim/output/time_series.h"
#include "shim/output/value.h"

enum chunk_kind {
  CHUNK_RESOURCES = 1,  // a RequiredResources message
  CHUNK_OPTIONS = 2,    // u32: 1 for --no-warnings
  CHUNK_EVENT = 3,      // an event
  CHUNK_MAP = 4,        // u32 map, u32 CPUs, then its entries: the key, and a value per CPU
  CHUNK_PRINT_MAP = 5,  // u32 map: printed as at exit
};

enum { EVENT_PADDING = 1 << 16 };

struct chunk {
  uint32_t kind;
  uint32_t size;
  uint8_t *data;
};

struct fake_map {
  uint32_t cpus;
  uint32_t size;
  uint8_t *entries;
};

static struct fake_map *fake_maps;
static const struct map *real_maps;

// Pulls the features out of the archive, as a tracer object does.
value_printer *const linked_values[] = {shim_print_inet, shim_print_mac_address, shim_print_ksym, shim_print_username,
                                        shim_print_timestamp};
groups_printer *const linked_groups[] = {shim_print_hist, shim_print_lhist, shim_print_tseries};

static action_handler *const handlers[] = {
    [PB_ACTION_KIND_PRINTF] = shim_action_printf,
    [PB_ACTION_KIND_PRINT_MAP] = shim_action_print_map,
    [PB_ACTION_KIND_PRINT_VALUE] = shim_action_print_value,
    [PB_ACTION_KIND_TIME] = shim_action_time,
    [PB_ACTION_KIND_JOIN] = shim_action_join,
    [PB_ACTION_KIND_CAT] = shim_action_cat,
    [PB_ACTION_KIND_SYSTEM] = shim_action_system,
    [PB_ACTION_KIND_RUNTIME_ERROR] = shim_action_runtime_error,
};

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "output_harness: %s\n", what);
  exit(2);
}

static void *allocate(size_t size) {
  void *memory = calloc(1, size ? size : 1);
  if (!memory)
    fail("no memory");
  return memory;
}

static struct chunk read_chunk(void) {
  struct chunk chunk = {0};
  uint32_t head[2];
  if (fread(head, sizeof(head), 1, stdin) != 1)
    return chunk;
  chunk.kind = head[0];
  chunk.size = head[1];
  chunk.data = allocate(chunk.size);
  if (chunk.size && fread(chunk.data, chunk.size, 1, stdin) != 1)
    fail("short chunk");
  return chunk;
}

static uint32_t word(const struct chunk *chunk, uint32_t index) {
  uint32_t value;
  if (chunk->size < (index + 1) * sizeof(value))
    fail("chunk too small");
  memcpy(&value, chunk->data + index * sizeof(value), sizeof(value));
  return value;
}

// What shim/maps.c does with the kernel's maps.
int map_read(const struct map *map, struct map_contents *contents) {
  const struct fake_map *fake = &fake_maps[map - real_maps];
  uint32_t key_size = map->info->key_size;
  uint32_t value_size = map->info->value_size;
  uint32_t source_size = key_size + fake->cpus * value_size;
  *contents = (struct map_contents){
      .count = fake->size / source_size,
      .key_stride = (key_size + 7) & ~7u,
      .value_stride = map->value_stride,
      .cpus = fake->cpus,
  };
  contents->entry_size = contents->key_stride + fake->cpus * map->value_stride;
  contents->data = allocate((size_t)contents->count * contents->entry_size);
  for (uint32_t i = 0; i < contents->count; i++) {
    const uint8_t *source = fake->entries + (size_t)i * source_size;
    uint8_t *entry = contents->data + (size_t)i * contents->entry_size;
    memcpy(entry, source, key_size);
    for (uint32_t cpu = 0; cpu < fake->cpus; cpu++)
      memcpy(entry + contents->key_stride + (size_t)cpu * map->value_stride, source + key_size + (size_t)cpu * value_size,
             value_size);
  }
  return 0;
}

void map_contents_free(struct map_contents *contents) {
  free(contents->data);
}

static int run_event(struct tracer *tracer, const struct chunk *chunk) {
  uint32_t index = word(chunk, 0);
  if (index >= tracer->resources->actions_count)
    fail("no such action");
  const struct pb_action *action = &tracer->resources->actions[index];
  if (action->kind_case >= sizeof(handlers) / sizeof(*handlers) || !handlers[action->kind_case])
    fail("no handler for this action");
  uint8_t *event = allocate(chunk->size + (size_t)EVENT_PADDING);
  memcpy(event, chunk->data, chunk->size);
  int err = handlers[action->kind_case](tracer, action, event, chunk->size);
  free(event);
  return err;
}

static struct fake_map *find_map(const struct tracer *tracer, const struct chunk *chunk) {
  if (word(chunk, 0) >= tracer->resources->maps_count)
    fail("no such map");
  return &fake_maps[word(chunk, 0)];
}

static void set_map(const struct tracer *tracer, const struct chunk *chunk) {
  struct fake_map *fake = find_map(tracer, chunk);
  fake->cpus = word(chunk, 1);
  fake->size = chunk->size - 8;
  free(fake->entries);
  fake->entries = allocate(fake->size);
  memcpy(fake->entries, chunk->data + 8, fake->size);
}

static void make_maps(struct tracer *tracer) {
  uint32_t count = tracer->resources->maps_count;
  tracer->maps = allocate(count * sizeof(*tracer->maps));
  fake_maps = allocate(count * sizeof(*fake_maps));
  real_maps = tracer->maps;
  for (uint32_t i = 0; i < count; i++) {
    const struct pb_map *info = &tracer->resources->maps[i];
    tracer->maps[i] = (struct map){.info = info, .fd = -1, .value_stride = (info->value_size + 7) & ~7u, .cpus = 1};
    fake_maps[i].cpus = 1;
  }
}

static int run_chunk(struct tracer *tracer, const struct chunk *chunk) {
  switch (chunk->kind) {
    case CHUNK_OPTIONS:
      tracer->options.no_warnings = word(chunk, 0) & 1;
      return 0;
    case CHUNK_EVENT:
      return run_event(tracer, chunk);
    case CHUNK_MAP:
      set_map(tracer, chunk);
      return 0;
    case CHUNK_PRINT_MAP:
      return shim_print_map(tracer, &tracer->maps[find_map(tracer, chunk) - fake_maps], 0, 0);
    default:
      fail("unknown chunk");
  }
}

int main(void) {
  struct chunk first = read_chunk();
  if (first.kind != CHUNK_RESOURCES)
    fail("no resources");
  void *resources;
  if (message_decode(message_layouts, PB_REQUIRED_RESOURCES_MESSAGE, first.data, first.size, &resources))
    fail("the resources cannot be decoded");
  struct tracer tracer = {.resources = resources};
  writer_init(&tracer.out, STDOUT_FILENO, WRITER_LINE);
  make_maps(&tracer);
  int err = 0;
  bool more = true;
  while (more && !err) {
    struct chunk chunk = read_chunk();
    more = chunk.kind != 0;
    if (more)
      err = run_chunk(&tracer, &chunk);
    free(chunk.data);
  }
  if (!err)
    err = writer_flush(&tracer.out);
  for (uint32_t i = 0; i < tracer.resources->maps_count; i++)
    free(fake_maps[i].entries);
  free(fake_maps);
  free(tracer.maps);
  free(resources);
  free(first.data);
  if (err)
    fprintf(stderr, "output_harness: %s\n", strerror(-err));
  return err ? 1 : 0;
}
