#include "shim/demangle/demangle.h"

#include <string.h>

#include "shim/demangle/cpp.h"
#include "shim/demangle/rust.h"
#include "shim/demangle/text.h"

// Compilers mark copies of a function that they have made with words and numbers: "_Z3foov.isra.0.cold".
static void put_suffix(struct text *text, const char *suffix) {
  while (*suffix) {
    size_t size = 1 + strcspn(suffix + 1, ".");
    while (suffix[size] == '.' && suffix[size + 1] >= '0' && suffix[size + 1] <= '9')
      size += 1 + strcspn(suffix + size + 1, ".");
    text_string(text, " [clone ");
    text_put(text, suffix, size);
    text_char(text, ']');
    suffix += size;
  }
}

const char *shim_demangle(const char *name) {
  static struct text text;  // in the zero-filled memory, of which only what is used counts
  size_t size = strlen(name);
  const char *suffix = name + size;
  text.size = 0;
  text.is_full = false;
  if (rust_demangle(name, size, &text)) {
  } else if (!strncmp(name, "_Z", 2)) {
    size = strcspn(name, ".");
    suffix = name + size;
    text.size = 0;
    text.is_full = false;
    if (!cpp_demangle(name + 2, size - 2, &text))
      return name;
  } else {
    return name;
  }
  put_suffix(&text, suffix);
  text_put(&text, "", 1);
  return text.is_full ? name : text.data;
}
