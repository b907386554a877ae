#include "shim/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A message is put together here first. Longer ones are cut: source lines may be of any length.
struct message {
  size_t used;
  char text[4096];
};

static void message_put(struct message *message, const char *data, size_t size) {
  size_t room = sizeof(message->text) - 1 - message->used;
  if (size > room)
    size = room;
  memcpy(message->text + message->used, data, size);
  message->used += size;
}

static void message_vformat(struct message *message, const char *format, va_list arguments) {
  size_t room = sizeof(message->text) - message->used;
  int size = vsnprintf(message->text + message->used, room, format, arguments);
  if (size > 0)
    message->used += (size_t)size < room ? (size_t)size : room - 1;
}

__attribute__((format(printf, 2, 3))) static void message_format(struct message *message, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  message_vformat(message, format, arguments);
  va_end(arguments);
}

static void message_send(struct message *message) {
  message->text[message->used++] = '\n';  // message_put and message_vformat leave room for it
  const char *at = message->text;
  while (message->used) {
    ssize_t written = write(STDERR_FILENO, at, message->used);
    if (written <= 0)
      return;
    at += written;
    message->used -= (size_t)written;
  }
}

static void put_place(struct message *message, const struct pb_source_span *span) {
  if (span->line == span->end_line)
    message_format(message, "%s:%u:%u-%u: ", span->file, span->line, span->column, span->end_column);
  else
    message_format(message, "%s:%u-%u: ", span->file, span->line, span->end_line);
}

// The source, with tabs as four spaces, and for a span in one line the underline. Columns count characters of UTF-8.
static void put_context(struct message *message, const struct pb_source_span *span) {
  if (!span->text.size)
    return;
  const char *text = (const char *)span->text.data;
  message_put(message, "\n", 1);
  for (uint32_t i = 0; i < span->text.size; i++)
    message_put(message, text[i] == '\t' ? "    " : &text[i], text[i] == '\t' ? 4 : 1);
  if (span->line != span->end_line)
    return;
  message_put(message, "\n", 1);
  uint32_t column = 0;
  for (uint32_t i = 0; i < span->text.size; i++) {
    if (((uint8_t)text[i] & 0xc0) == 0x80)
      continue;  // the rest of a character
    if (++column >= span->end_column)
      break;
    message_put(message, column < span->column ? "    " : "~~~~", text[i] == '\t' ? 4 : 1);
  }
}

void report(enum report_severity severity, const struct pb_required_resources *resources, uint32_t span, const char *format,
            ...) {
  static const char *const names[] = {[REPORT_ERROR] = "ERROR: ", [REPORT_WARNING] = "WARNING: "};
  struct message message = {0};
  if (span)
    put_place(&message, &resources->spans[span]);
  message_format(&message, "%s", names[severity]);
  va_list arguments;
  va_start(arguments, format);
  message_vformat(&message, format, arguments);
  va_end(arguments);
  if (span) {
    put_context(&message, &resources->spans[span]);
    // A parent always has a smaller index (payload.c), so this ends.
    for (uint32_t outer = resources->spans[span].parent; outer; outer = resources->spans[outer].parent) {
      message_put(&message, "\n", 1);
      put_place(&message, &resources->spans[outer]);
      message_format(&message, "%sexpanded from", names[severity]);
      put_context(&message, &resources->spans[outer]);
    }
  }
  message_send(&message);
}

void report_line(const char *format, ...) {
  struct message message = {0};
  va_list arguments;
  va_start(arguments, format);
  message_vformat(&message, format, arguments);
  va_end(arguments);
  message_send(&message);
}

const char *report_cause(int err) {
  return strerror(abs(err));
}
