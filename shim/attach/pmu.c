#include "shim/attach/pmu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/host.h"
#include "shim/small_printf.h"

static int read_number(const char *pmu, const char *file, const char *prefix) {
  char path[128], *text;
  size_t size;
  small_snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/%s", pmu, file);
  int err = host_read_file(path, &text, &size);
  if (err)
    return err;
  size_t skipped = strlen(prefix);
  int number = strncmp(text, prefix, skipped) ? -EINVAL : atoi(text + skipped);
  free(text);
  return number;
}

int pmu_describe(const char *pmu, bool is_return, struct perf_event_attr *attr) {
  int type = read_number(pmu, "type", "");
  // Bit `retprobe` of the config is where its format file says ("config:0").
  int retprobe = is_return ? read_number(pmu, "format/retprobe", "config:") : 0;
  if (type < 0)
    return type == -ENOENT ? -EOPNOTSUPP : type;
  if (retprobe < 0)
    return retprobe;
  attr->type = (uint32_t)type;
  attr->config = is_return ? 1ull << retprobe : 0;
  return 0;
}
