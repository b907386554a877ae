#include "shim/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/small_printf.h"

static const struct {
  const char *name;
  const char *color;
} severities[] = {
    [REPORT_ERROR] = {"ERROR: ", "\033[31m"},
    [REPORT_WARNING] = {"WARNING: ", "\033[33m"},
};

// Longer texts are cut.
static void put_vformat(struct writer *writer, const char *format, va_list arguments) {
  size_t room = sizeof(writer->buffer) - writer->used;
  int size = small_vsnprintf(writer->buffer + writer->used, room, format, arguments);
  if (size > 0)
    writer->used += (size_t)size < room ? (size_t)size : room - 1;
}

__attribute__((format(printf, 2, 3))) static void put_format(struct writer *writer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  put_vformat(writer, format, arguments);
  va_end(arguments);
}

// As upstream: for a terminal, unless the environment says otherwise.
static bool is_colored(void) {
  const char *mode = getenv("BPFTRACE_COLOR");
  if (mode && !strcmp(mode, "always"))
    return true;
  if (mode && !strcmp(mode, "never"))
    return false;
  return isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

static void put_place(struct writer *writer, const struct pb_source_span *span) {
  writer_text(writer, span->file);
  if (span->line == span->end_line)
    put_format(writer, ":%u:%u-%u: ", span->line, span->column, span->end_column);
  else
    put_format(writer, ":%u-%u: ", span->line, span->end_line);
}

// What comes before the text of a message; put_tail() ends its color.
static void put_head(struct writer *writer, enum report_severity severity, const struct pb_source_span *span) {
  if (is_colored())
    writer_text(writer, severities[severity].color);
  if (span)
    put_place(writer, span);
  writer_text(writer, severities[severity].name);
}

static void put_tail(struct writer *writer) {
  if (is_colored())
    writer_text(writer, "\033[0m");
}

// The source; of a span in one line with tabs as four spaces, and the underline. Columns count characters of UTF-8.
static void put_source(struct writer *writer, const struct pb_source_span *span) {
  if (!span->text.size)
    return;
  const char *text = (const char *)span->text.data;
  writer_text(writer, "\n");
  if (span->line != span->end_line) {
    writer_put(writer, text, span->text.size);
    return;
  }
  for (uint32_t i = 0; i < span->text.size; i++)
    writer_put(writer, text[i] == '\t' ? "    " : &text[i], text[i] == '\t' ? 4 : 1);
  writer_text(writer, "\n");
  uint32_t column = 0;
  for (uint32_t i = 0; i < span->text.size; i++) {
    if (((uint8_t)text[i] & 0xc0) == 0x80)
      continue;  // the rest of a character
    if (++column >= span->end_column)
      break;
    writer_fill(writer, column < span->column ? ' ' : '~', text[i] == '\t' ? 4 : 1);
  }
}

void report_begin(struct writer *writer, enum report_severity severity, const struct pb_required_resources *resources,
                  uint32_t span) {
  writer_init(writer, STDERR_FILENO, WRITER_FULL);
  put_head(writer, severity, span ? &resources->spans[span] : NULL);
}

void report_end(struct writer *writer, enum report_severity severity, const struct pb_required_resources *resources,
                uint32_t span, bool show_source) {
  if (writer->used && writer->buffer[writer->used - 1] == '\n')
    writer->used--;
  put_tail(writer);
  if (span) {
    if (show_source)
      put_source(writer, &resources->spans[span]);
    // A parent always has a smaller index (payload.c), so this ends.
    for (uint32_t outer = resources->spans[span].parent; outer; outer = resources->spans[outer].parent) {
      writer_text(writer, "\n");
      put_head(writer, severity, &resources->spans[outer]);
      writer_text(writer, "expanded from");
      put_tail(writer);
      put_source(writer, &resources->spans[outer]);
    }
  }
  writer_text(writer, "\n");
  writer_flush(writer);
}

void report(enum report_severity severity, const struct pb_required_resources *resources, uint32_t span, const char *format,
            ...) {
  struct writer writer;
  report_begin(&writer, severity, resources, span);
  va_list arguments;
  va_start(arguments, format);
  put_vformat(&writer, format, arguments);
  va_end(arguments);
  report_end(&writer, severity, resources, span, true);
}

void report_line(const char *format, ...) {
  struct writer writer;
  writer_init(&writer, STDERR_FILENO, WRITER_FULL);
  va_list arguments;
  va_start(arguments, format);
  put_vformat(&writer, format, arguments);
  va_end(arguments);
  writer_text(&writer, "\n");
  writer_flush(&writer);
}

const char *report_cause(int err) {
  return strerror(abs(err));
}

const char *report_privilege_hint(int err) {
  return err == -EPERM ? ": run as root or with CAP_BPF and CAP_PERFMON" : "";
}

const char *report_closed_hint(int err) {
  return err == -EACCES ? ": run as root" : "";
}
