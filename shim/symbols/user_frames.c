// ustack with the names of functions.
#include "shim/debug/source_lines.h"
#include "shim/output/text.h"
#include "shim/output/value.h"
#include "shim/symbols/origin.h"
#include "shim/symbols/stack.h"

// Linked if the configuration wants source lines: see features.h.
#pragma weak shim_source_lines

enum { HEADER_SIZE = 16 };

struct frames {
  const struct tracer *tracer;
  struct user_origin origin;
};

// "@folder/file.c:12"
static void put_line(struct long_text *text, const struct dwarf_line *line) {
  if (!line->file)
    return;
  const char *const parts[] = {line->folder, line->in_folder, line->file};
  size_t first = *line->file == '/' ? 2 : *line->in_folder == '/' ? 1 : 0;
  long_text_string(text, "@");
  for (size_t i = first; i < 3; i++) {
    long_text_string(text, parts[i]);
    if (i < 2 && *parts[i])
      long_text_string(text, "/");
  }
  struct number number;
  number_format(&number, line->line, DECIMAL, false);
  long_text_string(text, ":");
  long_text_put(text, number.text, number.size);
}

// The functions that the compiler has put into the one at the address, innermost first, each as a frame of its own.
static void put_inlined(const struct frames *frames, struct long_text *text, uint64_t address, const struct dwarf_frame *lines,
                        uint32_t count, bool is_perf) {
  for (uint32_t i = 0; i + 1 < count; i++) {
    const char *name = lines[i].name ? origin_name(frames->tracer, lines[i].name) : "[unknown]";
    if (!is_perf)
      long_text_string(text, "[inlined] ");
    long_text_string(text, name);
    if (is_perf)
      long_text_string(text, " (inlined)");
    else
      put_line(text, &lines[i].line);
    long_text_string(text, "\n");
    long_text_frame(text, address, is_perf);
  }
}

static void name_frame(struct long_text *text, uint64_t address, const void *context, bool is_perf) {
  const struct frames *frames = context;
  struct user_place place = user_place_find(&frames->origin, address);
  const struct dwarf_frame *lines = NULL;
  uint32_t count = 0;
  if (shim_source_lines && frames->tracer->resources->config->show_debug_info && place.name && place.symbols)
    count = shim_source_lines(place.symbols, place.file_offset, &lines);
  put_inlined(frames, text, address, lines, count, is_perf);
  if (place.name)
    long_text_symbol(text, origin_name(frames->tracer, place.name), place.offset);
  else
    long_text_address(text, address);
  if (is_perf) {
    long_text_string(text, " (");
    long_text_string(text, place.module ? place.module : "[unknown]");
    long_text_string(text, ")");
  } else if (count) {
    put_line(text, &lines[count - 1].line);
  }
}

void shim_print_ustack_names(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  const struct frames frames = {printer->tracer, origin_read(printer->tracer, data)};
  stack_print(printer, type, data + HEADER_SIZE, load_unsigned(data + 8, 8), name_frame, &frames);
}
