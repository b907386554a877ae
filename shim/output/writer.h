// A buffered writer over a file descriptor: what the script prints, on its way to stdout or to the file of `-o`.
#ifndef SHIM_OUTPUT_WRITER_H
#define SHIM_OUTPUT_WRITER_H

#include <stddef.h>
#include <stdint.h>

enum writer_mode {
  WRITER_LINE,  // flush when a put contained a newline (the default, as upstream's)
  WRITER_FULL,  // flush when the buffer is full and at the end
  WRITER_NONE,  // flush after every put
};

enum { WRITER_CAPACITY = 4096 };

struct writer {
  int fd;
  enum writer_mode mode;
  int error;  // first negative errno of write(2); once set, output is dropped
  size_t used;
  char buffer[WRITER_CAPACITY];
};

void writer_init(struct writer *writer, int fd, enum writer_mode mode);
// Appends bytes. Data larger than the buffer is written through.
void writer_put(struct writer *writer, const void *data, size_t size);
void writer_text(struct writer *writer, const char *text);
// Writes what is buffered; retries after EINTR and partial writes. Returns writer->error.
int writer_flush(struct writer *writer);

#endif
