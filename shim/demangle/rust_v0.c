// Printed while it is read: a reference to what came before is that, read again.
#include "shim/demangle/rust_v0.h"

#include <string.h>

enum { MAX_DEPTH = 160, MAX_STEPS = 1 << 15, MAX_UNICODE = 128 };

struct reader {
  const char *start;
  const char *at;
  const char *end;
  struct text *text;
  bool is_silent;      // what is read is not printed
  bool has_failed;
  unsigned depth;
  unsigned steps;
  uint64_t lifetimes;  // bound by the binders around
};

struct identifier {
  uint64_t disambiguator;
  const char *text;
  size_t size;
  bool is_unicode;
};

static void read_path(struct reader *r, bool in_value);
static void read_type(struct reader *r);
static void read_constant(struct reader *r);

static void put(struct reader *r, const char *text, size_t size) {
  if (!r->is_silent && !r->has_failed)
    text_put(r->text, text, size);
}

static void say(struct reader *r, const char *text) {
  put(r, text, strlen(text));
}

static void say_number(struct reader *r, uint64_t number) {
  if (!r->is_silent && !r->has_failed)
    text_number(r->text, number);
}

static char peek(const struct reader *r) {
  if (r->at >= r->end)
    return '\0';
  return *r->at;
}

static bool take(struct reader *r, char c) {
  if (peek(r) != c)
    return false;
  r->at++;
  return true;
}

static char next(struct reader *r) {
  if (r->at < r->end)
    return *r->at++;
  r->has_failed = true;
  return '\0';
}

static bool enter(struct reader *r) {
  if (r->has_failed || r->text->is_full || ++r->steps > MAX_STEPS || r->depth == MAX_DEPTH) {
    r->has_failed = true;
    return false;
  }
  r->depth++;
  return true;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "_" is 0, digits and "_" are one more than they say.
static uint64_t read_base_62(struct reader *r) {
  if (take(r, '_'))
    return 0;
  uint64_t value = 0;
  for (char c; (c = next(r)) != '_' && !r->has_failed;) {
    unsigned digit;
    if (is_digit(c))
      digit = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'z')
      digit = (unsigned)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'Z')
      digit = (unsigned)(c - 'A') + 36;
    else
      digit = 62;
    if (digit == 62 || value > (UINT64_MAX - 62) / 62)
      r->has_failed = true;
    value = 62 * value + digit;
  }
  return value + 1;
}

static uint64_t read_optional(struct reader *r, char tag) {
  return take(r, tag) ? read_base_62(r) + 1 : 0;
}

static struct identifier read_plain_identifier(struct reader *r) {
  struct identifier name = {.is_unicode = take(r, 'u')};
  if (!is_digit(peek(r)))
    r->has_failed = true;
  if (!take(r, '0'))
    while (is_digit(peek(r)) && name.size <= UINT16_MAX)
      name.size = 10 * name.size + (size_t)(next(r) - '0');
  take(r, '_');
  if (r->has_failed || name.size > (size_t)(r->end - r->at)) {
    r->has_failed = true;
    name.size = 0;
  }
  name.text = r->at;
  r->at += name.size;
  return name;
}

static struct identifier read_identifier(struct reader *r) {
  uint64_t disambiguator = read_optional(r, 's');
  struct identifier name = read_plain_identifier(r);
  name.disambiguator = disambiguator;
  return name;
}

// Punycode (RFC 3492), with `_` in the place of `-`. Returns how many characters there are, 0 if it is malformed.
static size_t decode_unicode(const struct identifier *name, uint32_t characters[MAX_UNICODE]) {
  enum { BASE = 36, LEAST = 1, MOST = 26, SKEW = 38, DAMP = 700, FIRST = 0x80, FIRST_BIAS = 72 };
  size_t plain = name->size;
  while (plain && name->text[plain - 1] != '_')
    plain--;
  size_t count = plain ? plain - 1 : 0;
  if (count >= MAX_UNICODE)
    return 0;
  for (size_t i = 0; i < count; i++)
    characters[i] = (unsigned char)name->text[i];
  uint32_t c = FIRST, place = 0, bias = FIRST_BIAS;
  for (size_t at = plain; at < name->size;) {
    uint32_t before = place, weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
      char letter = '\0';  // which is no digit
      if (at < name->size)
        letter = name->text[at++];
      uint32_t digit = letter >= 'a' && letter <= 'z' ? (uint32_t)(letter - 'a') : is_digit(letter) ? (uint32_t)(letter - '0') + 26 : BASE;
      if (digit == BASE || weight > UINT16_MAX || place > UINT32_MAX / 4)
        return 0;
      place += digit * weight;
      uint32_t threshold = k <= bias ? LEAST : k >= bias + MOST ? MOST : k - bias;
      if (digit < threshold)
        break;
      weight *= BASE - threshold;
    }
    if (++count > MAX_UNICODE)
      return 0;
    uint32_t delta = (place - before) / (before ? 2 : DAMP);
    delta += delta / (uint32_t)count;
    for (bias = 0; delta > (BASE - LEAST) * MOST / 2; bias += BASE)
      delta /= BASE - LEAST;
    bias += (BASE - LEAST + 1) * delta / (delta + SKEW);
    c += place / (uint32_t)count;
    place %= (uint32_t)count;
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
      return 0;
    memmove(characters + place + 1, characters + place, (count - 1 - place) * sizeof(*characters));
    characters[place++] = c;
  }
  return count;
}

static void say_identifier(struct reader *r, const struct identifier *name) {
  uint32_t characters[MAX_UNICODE];
  if (!name->is_unicode || r->is_silent) {
    put(r, name->text, name->size);
    return;
  }
  size_t count = decode_unicode(name, characters);
  if (!count)
    r->has_failed = true;
  for (size_t i = 0; i < count && !r->has_failed; i++)
    rust_put_character(r->text, characters[i]);
}

// What a reference leads to is read with `read`; silently it need not be.
static void follow(struct reader *r, void (*read)(struct reader *)) {
  const char *here = r->at - 1;
  uint64_t place = read_base_62(r);
  if (r->has_failed || place >= (uint64_t)(here - r->start)) {
    r->has_failed = true;
    return;
  }
  if (r->is_silent || !enter(r))
    return;
  const char *behind = r->at;
  r->at = r->start + place;
  read(r);
  r->at = behind;
  r->depth--;
}

static void read_path_in_value(struct reader *r) {
  read_path(r, true);
}

static void read_path_in_type(struct reader *r) {
  read_path(r, false);
}

static void say_lifetime(struct reader *r, uint64_t lifetime) {
  if (!lifetime || lifetime > r->lifetimes) {
    r->has_failed |= lifetime > r->lifetimes;
    say(r, "'_");
    return;
  }
  uint64_t depth = r->lifetimes - lifetime;
  char name[2] = {'\'', (char)('a' + depth % 26)};
  put(r, name, depth < 26 ? 2 : 1);
  if (depth >= 26) {
    say(r, "_");
    say_number(r, depth);
  }
}

// for<'a, 'b>: the lifetimes are bound until the caller unbinds as many as this returns.
static uint64_t read_binder(struct reader *r) {
  uint64_t count = read_optional(r, 'G');
  if (!count || r->has_failed)
    return 0;
  if (count > MAX_DEPTH) {
    r->has_failed = true;
    return 0;
  }
  say(r, "for<");
  for (uint64_t i = 0; i < count; i++) {
    if (i)
      say(r, ", ");
    r->lifetimes++;
    say_lifetime(r, 1);
  }
  say(r, "> ");
  return count;
}

static void read_generic_argument(struct reader *r) {
  if (take(r, 'L'))
    say_lifetime(r, read_base_62(r));
  else if (take(r, 'K'))
    read_constant(r);
  else
    read_type(r);
}

// Up to E, with `separator` between. Returns how many there were.
static unsigned read_list(struct reader *r, void (*read)(struct reader *), const char *separator) {
  unsigned count = 0;
  for (; !r->has_failed && !take(r, 'E'); count++) {
    if (count)
      say(r, separator);
    read(r);
  }
  return count;
}

static void read_impl_path(struct reader *r) {
  bool was_silent = r->is_silent;
  r->is_silent = true;
  read_optional(r, 's');
  read_path(r, false);
  r->is_silent = was_silent;
}

static void read_nested(struct reader *r, bool in_value) {
  char space = next(r);
  read_path(r, in_value);
  struct identifier name = read_identifier(r);
  if (space >= 'A' && space <= 'Z') {
    say(r, "::{");
    if (space == 'C')
      say(r, "closure");
    else if (space == 'S')
      say(r, "shim");
    else
      put(r, &space, 1);
    if (name.size)
      say(r, ":");
    say_identifier(r, &name);
    say(r, "#");
    say_number(r, name.disambiguator);
    say(r, "}");
  } else if (space >= 'a' && space <= 'z') {
    if (name.size)
      say(r, "::");
    say_identifier(r, &name);
  } else {
    r->has_failed = true;
  }
}

static void read_path(struct reader *r, bool in_value) {
  if (!enter(r))
    return;
  struct identifier name;
  char tag = next(r);
  switch (tag) {
    case 'C':
      name = read_identifier(r);
      say_identifier(r, &name);
      break;
    case 'N':
      read_nested(r, in_value);
      break;
    case 'M':
    case 'X':
      read_impl_path(r);
      // fall through
    case 'Y':
      say(r, "<");
      read_type(r);
      if (tag != 'M') {
        say(r, " as ");
        read_path(r, false);
      }
      say(r, ">");
      break;
    case 'I':
      read_path(r, in_value);
      say(r, in_value ? "::<" : "<");
      read_list(r, read_generic_argument, ", ");
      say(r, ">");
      break;
    case 'B':
      follow(r, in_value ? read_path_in_value : read_path_in_type);
      break;
    default:
      r->has_failed = true;
  }
  r->depth--;
}

static const char *basic_type(char tag) {
  enum { FIRST = 'a' };
  static const char *const names['z' - FIRST + 1] = {
      ['a' - FIRST] = "i8",   ['b' - FIRST] = "bool", ['c' - FIRST] = "char", ['d' - FIRST] = "f64",   ['e' - FIRST] = "str",
      ['f' - FIRST] = "f32",  ['h' - FIRST] = "u8",   ['i' - FIRST] = "isize", ['j' - FIRST] = "usize", ['l' - FIRST] = "i32",
      ['m' - FIRST] = "u32",  ['n' - FIRST] = "i128", ['o' - FIRST] = "u128", ['p' - FIRST] = "_",     ['s' - FIRST] = "i16",
      ['t' - FIRST] = "u16",  ['u' - FIRST] = "()",   ['v' - FIRST] = "...",  ['x' - FIRST] = "i64",   ['y' - FIRST] = "u64",
      ['z' - FIRST] = "!",
  };
  return tag >= 'a' && tag <= 'z' ? names[tag - FIRST] : NULL;
}

static void read_function_type(struct reader *r) {
  uint64_t bound = read_binder(r);
  if (take(r, 'U'))
    say(r, "unsafe ");
  if (take(r, 'K')) {
    say(r, "extern \"");
    if (take(r, 'C')) {
      say(r, "C");
    } else {
      struct identifier abi = read_plain_identifier(r);
      for (size_t i = 0; i < abi.size; i++)
        put(r, abi.text[i] == '_' ? "-" : abi.text + i, 1);
    }
    say(r, "\" ");
  }
  say(r, "fn(");
  read_list(r, read_type, ", ");
  say(r, ")");
  if (!take(r, 'u')) {  // which returns nothing
    say(r, " -> ");
    read_type(r);
  }
  r->lifetimes -= bound;
}

// The path of a trait, whose list of arguments stays open for those that are bound by name.
static void read_open_path(struct reader *r);
static void read_trait(struct reader *r) {
  const char *before = r->at;
  read_open_path(r);
  // Whether it is open depends on what the path leads to.
  struct reader ahead = *r;
  ahead.at = before;
  bool is_open = false;
  for (int i = 0; i < MAX_DEPTH && !ahead.has_failed; i++) {
    if (take(&ahead, 'B')) {
      uint64_t place = read_base_62(&ahead);
      if (place >= (uint64_t)(ahead.end - ahead.start))
        break;
      ahead.at = ahead.start + place;
      continue;
    }
    is_open = peek(&ahead) == 'I';
    break;
  }
  while (!r->has_failed && take(r, 'p')) {
    say(r, is_open ? ", " : "<");
    is_open = true;
    struct identifier name = read_plain_identifier(r);
    say_identifier(r, &name);
    say(r, " = ");
    read_type(r);
  }
  if (is_open)
    say(r, ">");
}

static void read_open_path(struct reader *r) {
  if (take(r, 'B')) {
    follow(r, read_open_path);
  } else if (take(r, 'I')) {
    read_path(r, false);
    say(r, "<");
    read_list(r, read_generic_argument, ", ");
  } else {
    read_path(r, false);
  }
}

static void read_dyn(struct reader *r) {
  say(r, "dyn ");
  uint64_t bound = read_binder(r);
  read_list(r, read_trait, " + ");
  r->lifetimes -= bound;
  if (!take(r, 'L')) {
    r->has_failed = true;
    return;
  }
  uint64_t lifetime = read_base_62(r);
  if (lifetime) {
    say(r, " + ");
    say_lifetime(r, lifetime);
  }
}

static void read_reference(struct reader *r, bool is_mutable) {
  say(r, "&");
  if (take(r, 'L')) {
    uint64_t lifetime = read_base_62(r);
    if (lifetime) {
      say_lifetime(r, lifetime);
      say(r, " ");
    }
  }
  if (is_mutable)
    say(r, "mut ");
  read_type(r);
}

static void read_type(struct reader *r) {
  if (!enter(r))
    return;
  char tag = next(r);
  const char *basic = basic_type(tag);
  if (basic) {
    say(r, basic);
    r->depth--;
    return;
  }
  switch (tag) {
    case 'R':
    case 'Q':
      read_reference(r, tag == 'Q');
      break;
    case 'P':
    case 'O':
      say(r, tag == 'P' ? "*const " : "*mut ");
      read_type(r);
      break;
    case 'A':
    case 'S':
      say(r, "[");
      read_type(r);
      if (tag == 'A') {
        say(r, "; ");
        read_constant(r);
      }
      say(r, "]");
      break;
    case 'T':
      say(r, "(");
      if (read_list(r, read_type, ", ") == 1)
        say(r, ",");
      say(r, ")");
      break;
    case 'F':
      read_function_type(r);
      break;
    case 'D':
      read_dyn(r);
      break;
    case 'B':
      follow(r, read_type);
      break;
    default:
      r->at--;
      read_path(r, false);
  }
  r->depth--;
}

// Hexadecimal digits up to `_`. Those that are more than 16 are not put into *value.
static size_t read_hex(struct reader *r, uint64_t *value, const char **digits) {
  size_t count = 0;
  *digits = r->at;
  *value = 0;
  while (!r->has_failed && !take(r, '_')) {
    char c = next(r);
    if (!is_digit(c) && (c < 'a' || c > 'f')) {
      r->has_failed = true;
      return 0;
    }
    *value = *value << 4 | (uint64_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
    count++;
  }
  return count;
}

static void say_character(struct reader *r, uint64_t c) {
  static const char *const escapes[] = {"\tt", "\rr", "\nn", "''", "\\\\"};
  if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
    r->has_failed = true;
    return;
  }
  say(r, "'");
  for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
    if (escapes[i][0] == (char)c && c < 0x80) {
      say(r, "\\");
      say(r, escapes[i] + 1);
      say(r, "'");
      return;
    }
  }
  if (c < 0x20 || c == 0x7f) {
    say(r, "\\u{");
    if (c >> 4)
      put(r, &"0123456789abcdef"[c >> 4], 1);
    put(r, &"0123456789abcdef"[c & 15], 1);
    say(r, "}");
  } else if (!r->is_silent && !r->has_failed) {
    rust_put_character(r->text, (uint32_t)c);
  }
  say(r, "'");
}

static void read_constant(struct reader *r) {
  if (!enter(r))
    return;
  uint64_t value;
  const char *digits;
  char type = next(r);
  if (type == 'B') {
    follow(r, read_constant);
  } else if (type == 'p') {
    say(r, "_");
  } else if (type == 'b') {
    read_hex(r, &value, &digits);
    r->has_failed |= value > 1;
    say(r, value ? "true" : "false");
  } else if (type == 'c') {
    read_hex(r, &value, &digits);
    say_character(r, value);
  } else if (type && strchr("hmjtyoasilxn", type)) {
    if (strchr("asilxn", type) && take(r, 'n'))
      say(r, "-");
    size_t count = read_hex(r, &value, &digits);
    if (count > 16) {
      say(r, "0x");
      put(r, digits, count);
    } else {
      say_number(r, value);
    }
  } else {
    r->has_failed = true;
  }
  r->depth--;
}

bool rust_v0_demangle(const char *name, size_t size, struct text *text) {
  struct reader r = {.start = name, .at = name, .end = name + size, .text = text};
  if (!size || *name < 'A' || *name > 'Z')  // a digit is the version of a form that is not known
    return false;
  read_path(&r, true);
  if (!r.has_failed && r.at < r.end) {  // the crate that has instantiated it
    r.is_silent = true;
    read_path(&r, false);
  }
  return !r.has_failed && r.at == r.end && !text->is_full;
}
