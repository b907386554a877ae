#include "shim/output/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void writer_init(struct writer *writer, int fd, enum writer_mode mode) {
  writer->fd = fd;
  writer->mode = mode;
  writer->error = 0;
  writer->has_line = false;
  writer->flushes = 0;
  writer->used = 0;
}

static void write_all(struct writer *writer, const char *data, size_t size) {
  while (size && !writer->error) {
    ssize_t written = write(writer->fd, data, size);
    if (written > 0) {
      data += written;
      size -= (size_t)written;
    } else if (written == 0) {
      writer->error = -EIO;  // write(2) has no reason to give this; do not spin on it
    } else if (errno != EINTR) {
      writer->error = -errno;
    }
  }
}

int writer_flush(struct writer *writer) {
  write_all(writer, writer->buffer, writer->used);
  writer->used = 0;
  writer->has_line = false;
  writer->flushes++;
  return writer->error;
}

int writer_settle(struct writer *writer) {
  if (writer->mode == WRITER_NONE || (writer->mode == WRITER_LINE && writer->has_line))
    writer_flush(writer);
  return writer->error;
}

void writer_put(struct writer *writer, const void *data, size_t size) {
  if (!size)
    return;  // `data` may be NULL then
  if (size > sizeof(writer->buffer) - writer->used)
    writer_flush(writer);
  if (size > sizeof(writer->buffer)) {
    write_all(writer, data, size);
    return;
  }
  memcpy(writer->buffer + writer->used, data, size);
  writer->used += size;
  writer->has_line |= memchr(data, '\n', size) != NULL;
}

void writer_text(struct writer *writer, const char *text) {
  writer_put(writer, text, strlen(text));
}

void writer_fill(struct writer *writer, char c, size_t count) {
  char run[64];
  memset(run, c, sizeof(run));
  for (; count > sizeof(run); count -= sizeof(run))
    writer_put(writer, run, sizeof(run));
  writer_put(writer, run, count);
}
