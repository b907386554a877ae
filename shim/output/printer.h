// Values on their way to the operator: what is printed (value.h, map.c) is kept apart from how it looks (struct output_format).
#ifndef SHIM_OUTPUT_PRINTER_H
#define SHIM_OUTPUT_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/output/writer.h"
#include "shim/tracer.h"

struct printer;

enum group { GROUP_ARRAY, GROUP_TUPLE, GROUP_RECORD };

enum map_shape { MAP_VALUES, MAP_STATS, MAP_HISTOGRAM, MAP_TIME_SERIES };

struct map_heading {
  const char *name;
  enum map_shape shape;
  bool has_keys;  // a map without keys has one entry
};

// An end of a histogram's bucket.
struct bound {
  int64_t value;
  int64_t number;  // the label: `value` in units of `unit`, which is 0, K, M, G, T, P or E
  char unit;
  bool is_exact;   // the label is the value itself: a bucket from 5 to 6 is [5], but one from 4K to 5K is [4K, 5K)
};

struct bucket {
  const struct bound *lower;  // NULL if the bucket has no lower end
  const struct bound *upper;  // NULL if it has no upper end
  uint64_t count;
  uint64_t max_count;         // of all buckets of the histogram
  bool first;
};

// What a value was in one interval of time, if there was one.
struct interval_value {
  bool is_set;
  uint64_t value;
};

// `count` intervals of `interval_ns` nanoseconds, from the one with the number `first` since 1970 on.
struct time_series {
  uint64_t interval_ns;
  uint64_t first;
  uint64_t count;
  const struct interval_value *values;
  bool is_signed;
};

// One way for output to look. Text is one (text.c); JSON will be another.
struct output_format {
  // Values. `suffix` marks a string that was cut. A symbol is a number for which text shows a name.
  void (*integer)(struct printer *printer, uint64_t value, bool is_signed);
  void (*boolean)(struct printer *printer, bool value);
  void (*string)(struct printer *printer, const char *text, size_t size, const char *suffix);
  void (*symbol)(struct printer *printer, const char *text, size_t size, uint64_t number);
  void (*buffer)(struct printer *printer, const uint8_t *data, size_t size);
  // A group is opened, has its members announced one by one (`name` is for records), and is closed. An empty one is opened only.
  void (*group_open)(struct printer *printer, enum group group, bool empty);
  void (*member)(struct printer *printer, enum group group, const char *name, bool first);
  void (*group_close)(struct printer *printer, enum group group);

  // print(value): what goes around the value.
  void (*value_open)(struct printer *printer);
  void (*value_close)(struct printer *printer);

  // Maps: open, then for every entry the key between key_open and key_close (with has_keys), its value, its buckets or its time
  // series, and entry_close; then close.
  void (*map_open)(struct printer *printer, const struct map_heading *heading);
  void (*key_open)(struct printer *printer, const struct map_heading *heading, bool first);
  void (*key_close)(struct printer *printer, const struct map_heading *heading);
  void (*bucket)(struct printer *printer, const struct bucket *bucket);
  void (*time_series)(struct printer *printer, const struct time_series *series);
  void (*entry_close)(struct printer *printer, const struct map_heading *heading);
  void (*map_close)(struct printer *printer, const struct map_heading *heading);
};

extern const struct output_format text_format;

// What a conversion of a format string asks for. The width is for the first piece of text that a value consists of: %10s of the
// tuple (1, 2) is "         (1, 2)".
struct layout {
  uint32_t width;
  bool left_align;
  bool zero_pad;   // pad with zeros; they go before a sign, and with left_align behind the text
  bool show_sign;  // of signed numbers
};

struct printer {
  struct tracer *tracer;
  struct writer *out;
  const struct output_format *format;
  struct layout layout;
  // Of text_format: where in the writer's buffer the map key begins that is being printed, if it is there still.
  size_t key_mark;
  uint32_t key_flushes;
};

static inline struct printer printer_make(struct tracer *tracer, struct writer *out) {
  return (struct printer){.tracer = tracer, .out = out, .format = &text_format};
}

#endif
