// A buffered writer over a file descriptor: what the script prints, on its way to stdout or to the file of `-o`.
#ifndef SHIM_OUTPUT_WRITER_H
#define SHIM_OUTPUT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum writer_mode {
  WRITER_LINE,  // writer_settle() writes what is buffered when there is a whole line in it (the default, as upstream's)
  WRITER_FULL,  // written when the buffer is full, and at the end
  WRITER_NONE,  // writer_settle() writes everything
};

enum { WRITER_CAPACITY = 4096 };

struct writer {
  int fd;
  enum writer_mode mode;
  int error;      // first negative errno of write(2); once set, output is dropped
  bool has_line;  // there is a newline in the buffer
  uint32_t flushes;
  size_t used;
  char buffer[WRITER_CAPACITY];
};

void writer_init(struct writer *writer, int fd, enum writer_mode mode);
// Appends bytes. Data larger than the buffer is written through.
void writer_put(struct writer *writer, const void *data, size_t size);
void writer_text(struct writer *writer, const char *text);
// Appends `c` `count` times.
void writer_fill(struct writer *writer, char c, size_t count);
// The end of an action's output: writes what the mode wants to be seen now. Returns writer->error.
int writer_settle(struct writer *writer);
// Writes what is buffered; retries after EINTR and partial writes. Returns writer->error.
int writer_flush(struct writer *writer);

#endif
