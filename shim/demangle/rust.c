// What both forms have in common, and the legacy form: _ZN, the parts of a path with their lengths, a hash, E.
#include "shim/demangle/rust.h"

#include <stdint.h>
#include <string.h>

#include "shim/demangle/rust_v0.h"

enum { HASH_SIZE = 17 };  // h and 16 hexadecimal digits

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static int hex_value(char c) {
  return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The length at *at; false if nothing of that length follows.
static bool read_part(const char **at, const char *end, const char **part, size_t *size) {
  if (*at == end || !is_digit(**at))
    return false;
  for (*size = 0; *at < end && is_digit(**at); ++*at) {
    *size = 10 * *size + (size_t)(**at - '0');
    if (*size > (size_t)(end - *at))
      return false;
  }
  if (!*size || *size > (size_t)(end - *at))
    return false;
  *part = *at;
  *at += *size;
  return true;
}

static bool is_hash(const char *part, size_t size) {
  if (size != HASH_SIZE || *part != 'h')
    return false;
  for (size_t i = 1; i < size; i++)
    if (hex_value(part[i]) < 0)
      return false;
  return true;
}

void rust_put_character(struct text *text, uint32_t c) {
  if (c < 0x80) {
    text_char(text, (char)c);
    return;
  }
  int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  text_char(text, (char)(0xff00u >> (more + 1) | c >> 6 * more));
  while (more--)
    text_char(text, (char)(0x80 | (c >> 6 * more & 0x3f)));
}

// $LT$ and the like. Returns how many characters it takes, 0 if it is none.
static size_t put_escape(struct text *text, const char *part, size_t size) {
  static const char *const escapes[][2] = {{"$SP$", "@"}, {"$BP$", "*"}, {"$RF$", "&"}, {"$LT$", "<"},
                                           {"$GT$", ">"}, {"$LP$", "("}, {"$RP$", ")"}, {"$C$", ","}};
  for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
    size_t length = strlen(escapes[i][0]);
    if (size >= length && !memcmp(part, escapes[i][0], length)) {
      text_string(text, escapes[i][1]);
      return length;
    }
  }
  if (size < 4 || memcmp(part, "$u", 2) != 0)
    return 0;
  uint32_t c = 0;
  size_t i = 2;
  for (; i < size && hex_value(part[i]) >= 0 && c < 0x10000; i++)
    c = c << 4 | (uint32_t)hex_value(part[i]);
  if (i == 2 || i == size || part[i] != '$' || c < 0x20 || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
    return 0;
  rust_put_character(text, c);
  return i + 1;
}

static void put_part(struct text *text, const char *part, size_t size) {
  if (size > 1 && part[0] == '_' && part[1] == '$') {  // identifiers do not begin with $
    part++;
    size--;
  }
  for (size_t i = 0; i < size;) {
    size_t taken = part[i] == '$' ? put_escape(text, part + i, size - i) : 0;
    if (!taken && part[i] == '.' && i + 1 < size && part[i + 1] == '.') {
      text_string(text, "::");
      taken = 2;
    } else if (!taken) {
      text_char(text, part[i]);
      taken = 1;
    }
    i += taken;
  }
}

static bool demangle_legacy(const char *name, const char *end, struct text *text) {
  const char *part = NULL;
  size_t size = 0;
  const char *at = name;
  while (read_part(&at, end, &part, &size)) {
  }
  if (!part || !is_hash(part, size) || at == end || *at != 'E' || at + 1 != end)
    return false;
  const char *hash = part;
  at = name;
  while (read_part(&at, end, &part, &size) && part != hash) {
    if (text->size)
      text_string(text, "::");
    put_part(text, part, size);
  }
  return text->size;
}

bool rust_demangle(const char *name, size_t size, struct text *text) {
  // What LLVM appends tells copies apart, which have the same source.
  const char *suffix = memchr(name, '.', size);
  if (!strncmp(name, "_ZN", 3)) {
    const char *last = NULL;  // parts have dots of their own: the suffix comes behind the last E
    for (const char *at = name; (at = strstr(at, "E.")); at++)
      last = at + 1;
    suffix = last;
  }
  const char *end = suffix ? suffix : name + size;
  bool is_llvms = suffix && !strncmp(suffix, ".llvm.", 6);
  bool is_done = false;
  if (!strncmp(name, "_ZN", 3))
    is_done = demangle_legacy(name + 3, end, text);
  else if (!strncmp(name, "_R", 2))
    is_done = rust_v0_demangle(name + 2, (size_t)(end - name - 2), text);
  if (is_done && suffix && !is_llvms)
    text_string(text, suffix);
  return is_done && !text->is_full;
}
