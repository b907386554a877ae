#include "shim/settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shim/parameters.h"
#include "shim/report.h"

enum kind { TEXT, SWITCH, NUMBER, WORD, RING_BUFFER_PAGES };

enum { PAGE_SIZE = 4096, MAX_WORDS = 3, MAX_RING_BUFFER_PAGES = 1 << 18 };

// One setting. `words` are those of a WORD, at the index that the message has for each.
struct setting {
  const char *variable;
  enum kind kind;
  size_t offset;  // in struct pb_config
  const char *words[MAX_WORDS];
};

static const struct setting table[] = {
    {"BPFTRACE_CACHE_USER_SYMBOLS", WORD, offsetof(struct pb_config, cache_user_symbols), {"NONE", "PER_PID", "PER_PROGRAM"}},
    {"BPFTRACE_LAZY_SYMBOLICATION", SWITCH, offsetof(struct pb_config, lazy_symbolication), {0}},
    {"BPFTRACE_LOG_SIZE", NUMBER, offsetof(struct pb_config, log_size), {0}},
    {"BPFTRACE_MAX_CAT_BYTES", NUMBER, offsetof(struct pb_config, max_cat_bytes), {0}},
    {"BPFTRACE_MAX_PROBES", NUMBER, offsetof(struct pb_config, max_probes), {0}},
    {"BPFTRACE_MISSING_PROBES", WORD, offsetof(struct pb_config, missing_probes), {"error", "warn", "ignore"}},
    {"BPFTRACE_PERF_RB_PAGES", RING_BUFFER_PAGES, 0, {0}},
    {"BPFTRACE_PRINT_MAPS_ON_EXIT", SWITCH, offsetof(struct pb_config, print_maps_on_exit), {0}},
    {"BPFTRACE_STR_TRUNC_TRAILER", TEXT, offsetof(struct pb_config, str_trunc_trailer), {0}},
};

// The decoded message is memory of our own, and nothing has looked at it yet: so it may be changed here, and only here.

// The kernel wants a power of two.
static const char *set_ring_buffer_pages(struct pb_required_resources *resources, int64_t pages) {
  if (pages < 0 || pages > MAX_RING_BUFFER_PAGES)
    return "value is out of range";
  uint32_t size = PAGE_SIZE;
  while (size < pages * PAGE_SIZE)
    size *= 2;
  for (uint32_t i = 0; pages && i < resources->maps_count; i++)
    if (resources->maps[i].role == PB_MAP_RING_BUFFER || resources->maps[i].role == PB_MAP_PACKETS)
      ((struct pb_map *)&resources->maps[i])->max_entries = size;
  return NULL;
}

// Returns NULL, or what is wrong.
static const char *set(struct pb_required_resources *resources, const struct setting *setting, const char *text) {
  char *place = (char *)resources->config + setting->offset;
  int64_t number;
  const char *problem;
  switch (setting->kind) {
    case TEXT:
      *(const char **)place = text;
      return NULL;
    case SWITCH:
      problem = parameter_parse_bool(text, &number);
      if (!problem)
        *(bool *)place = number;
      return problem;
    case WORD:
      for (uint32_t i = 0; i < MAX_WORDS; i++) {
        if (!strcasecmp(text, setting->words[i])) {
          *(uint32_t *)place = i;
          return NULL;
        }
      }
      return "not a word that it takes";
    default:
      problem = parameter_parse_integer(text, &number);
      if (problem)
        return problem;
      if (setting->kind == RING_BUFFER_PAGES)
        return set_ring_buffer_pages(resources, number);
      *(uint64_t *)place = (uint64_t)number;
      return NULL;
  }
}

int settings_read_environment(struct pb_required_resources *resources) {
  for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
    const char *text = getenv(table[i].variable);
    const char *problem = text ? set(resources, &table[i], text) : NULL;
    if (problem) {
      report(REPORT_ERROR, NULL, 0, "%s: %s (value: %s)", table[i].variable, problem, text);
      return -EINVAL;
    }
  }
  return 0;
}
