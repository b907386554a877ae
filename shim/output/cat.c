// cat(format, ...): the first max_cat_bytes of a file.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "shim/output/format.h"
#include "shim/output/output.h"
#include "shim/report.h"

enum { CHUNK = 4096 };

static void copy_file(struct writer *out, int fd, uint64_t limit) {
  char chunk[CHUNK];
  while (limit) {
    ssize_t got = read(fd, chunk, limit < CHUNK ? limit : CHUNK);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;  // as upstream, which shows what it could read
    writer_put(out, chunk, (size_t)got);
    limit -= (uint64_t)got;
  }
}

int shim_action_cat(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)size;
  char *path;
  int err = format_text(tracer, action->cat->path, event, &path);
  if (err)
    return err;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    err = -errno;
    report(REPORT_ERROR, tracer->resources, action->span, "failed to open file '%s' (%s)", path, report_cause(err));
  } else {
    copy_file(&tracer->out, fd, tracer->resources->config->max_cat_bytes);
    close(fd);
  }
  free(path);
  return writer_settle(&tracer->out);
}
