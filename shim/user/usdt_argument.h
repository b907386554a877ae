// Where the arguments of a USDT probe are: the texts that the assembler wrote beside it, such as "-4@%eax 8@-20(%rbp)".
#ifndef SHIM_USER_USDT_ARGUMENT_H
#define SHIM_USER_USDT_ARGUMENT_H

#include <stdbool.h>
#include <stdint.h>

enum { USDT_ARGUMENTS = 12, USDT_NO_REGISTER = 0xffff };
enum { USDT_IN_MEMORY = 1, USDT_SIGNED = 2 };

// As programs read it: see USDT_ARGUMENTS of required_resources.proto.
struct usdt_argument {
  int64_t value;
  uint16_t base;
  uint16_t index;
  uint8_t flags;
  uint8_t shift;
  uint8_t bits;
  uint8_t zero;
};

// Reads the next argument of *text and moves *text behind it. Returns 1, 0 at the end of the text, or -EINVAL if it is not understood
// (floating point, symbols); *text then stands at the argument.
int usdt_argument_parse(const char **text, struct usdt_argument *argument);

#endif
