#include "shim/user/usdt_argument.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// The word of letters and digits at `text`.
static size_t word_size(const char *text) {
  size_t size = 0;
  while ((text[size] >= 'a' && text[size] <= 'z') || (text[size] >= '0' && text[size] <= '9'))
    size++;
  return size;
}

#if defined(__x86_64__)

// struct pt_regs of arch/x86: the registers in its order, and all names by which the parts of one go.
static const char *const registers[][5] = {
    {"r15", "r15d", "r15w", "r15b"}, {"r14", "r14d", "r14w", "r14b"}, {"r13", "r13d", "r13w", "r13b"},
    {"r12", "r12d", "r12w", "r12b"}, {"rbp", "ebp", "bp", "bpl"},     {"rbx", "ebx", "bx", "bl"},
    {"r11", "r11d", "r11w", "r11b"}, {"r10", "r10d", "r10w", "r10b"}, {"r9", "r9d", "r9w", "r9b"},
    {"r8", "r8d", "r8w", "r8b"},     {"rax", "eax", "ax", "al"},      {"rcx", "ecx", "cx", "cl"},
    {"rdx", "edx", "dx", "dl"},      {"rsi", "esi", "si", "sil"},     {"rdi", "edi", "di", "dil"},
    {NULL},                          {"rip"},                         {NULL},
    {NULL},                          {"rsp", "esp", "sp", "spl"},
};

static bool parse_register(const char **text, uint16_t *offset) {
  if (**text != '%')
    return false;
  size_t size = word_size(*text + 1);
  for (size_t i = 0; i < sizeof(registers) / sizeof(*registers); i++) {
    for (size_t j = 0; registers[i][j]; j++) {
      if (strlen(registers[i][j]) == size && !strncmp(registers[i][j], *text + 1, size)) {
        *offset = (uint16_t)(8 * i);
        *text += 1 + size;
        return true;
      }
    }
  }
  return false;
}

// "$5", "%rax", "-8(%rbp)", "8(%rax,%rbx,4)", "(,%rbx,8)"
static bool parse_place(const char **text, struct usdt_argument *argument) {
  if (**text == '$') {
    char *end;
    argument->value = strtoll(*text + 1, &end, 0);
    bool has_digits = end != *text + 1;
    *text = end;
    return has_digits;
  }
  if (parse_register(text, &argument->base))
    return true;
  char *end;
  argument->value = strtoll(*text, &end, 0);
  if (*end != '(')
    return false;
  argument->flags |= USDT_IN_MEMORY;
  *text = end + 1;
  if (**text == '%' && !parse_register(text, &argument->base))
    return false;
  if (**text == ',') {
    ++*text;
    if (!parse_register(text, &argument->index))
      return false;
    long scale = 1;
    if (**text == ',') {
      scale = strtol(*text + 1, &end, 10);
      *text = end;
    }
    while (argument->shift < 3 && scale != 1 << argument->shift)
      argument->shift++;
    if (scale != 1 << argument->shift)
      return false;
  }
  return *(*text)++ == ')';
}

#elif defined(__aarch64__)

static bool is_one_of(char c, const char *set) {
  return c && strchr(set, c);
}

static bool parse_register(const char **text, uint16_t *offset) {
  size_t size = word_size(*text);
  if (size == 2 && !strncmp(*text, "sp", 2)) {
    *offset = 8 * 31;
  } else if ((**text == 'x' || **text == 'w') && size >= 2 && size <= 3) {
    char *end;
    long number = strtol(*text + 1, &end, 10);
    if (end != *text + size || number > 30)  // not xzr either
      return false;
    *offset = (uint16_t)(8 * number);
  } else {
    return false;
  }
  *text += size;
  return true;
}

// "5", "x0", "w1", "[sp, 16]", "[x1]", "[x1, x2]", "[x1, x2, lsl 3]"
static bool parse_place(const char **text, struct usdt_argument *argument) {
  char *end;
  if (parse_register(text, &argument->base))
    return true;
  if (**text != '[') {
    argument->value = strtoll(*text, &end, 0);
    bool has_digits = end != *text;
    *text = end;
    return has_digits;
  }
  argument->flags |= USDT_IN_MEMORY;
  ++*text;
  if (!parse_register(text, &argument->base))
    return false;
  while (is_one_of(**text, ", "))
    ++*text;
  if (**text != ']' && !parse_register(text, &argument->index)) {
    argument->value = strtoll(*text, &end, 0);
    *text = end;
  }
  while (is_one_of(**text, ", "))
    ++*text;
  if (!strncmp(*text, "lsl ", 4)) {
    const char *amount = *text + 4 + ((*text)[4] == '#');
    argument->shift = (uint8_t)(strtol(amount, &end, 10) & 63);
    *text = end;
  }
  return *(*text)++ == ']';
}

#endif

int usdt_argument_parse(const char **text, struct usdt_argument *argument) {
  *argument = (struct usdt_argument){.base = USDT_NO_REGISTER, .index = USDT_NO_REGISTER};
  const char *at = *text;
  while (*at == ' ')
    at++;
  *text = at;
  if (!*at)
    return 0;
  char *end;
  long size = strtol(at, &end, 10);
  long bytes = size < 0 ? -size : size;
  if (*end != '@' || (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8))
    return -EINVAL;
  argument->flags = size < 0 ? USDT_SIGNED : 0;
  argument->bits = (uint8_t)(64 - 8 * bytes);
  at = end + 1;
  if (!parse_place(&at, argument) || (*at && *at != ' '))
    return -EINVAL;
  *text = at;
  return 1;
}
