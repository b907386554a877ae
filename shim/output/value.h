// Values of every type, from the bytes of an event, a map key or a map value.
//
// `data` holds type->size bytes. The payload's types are trusted here, because payload.c has checked them: members lie inside
// of what contains them, and no type contains itself.
#ifndef SHIM_OUTPUT_VALUE_H
#define SHIM_OUTPUT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/output/printer.h"
#include "shim/resources.h"

// Prints a value. Integers in it are divided by `div` (1 for as they are).
void value_print(struct printer *printer, const struct pb_type *type, const uint8_t *data, uint32_t div);

// The number that an integer, a bool or a pointer stands for, extended to 64 bits. Returns false for other types.
bool value_number(const struct pb_type *type, const uint8_t *data, uint64_t *number);

// Bytes of a string before its end, at most its type's size.
uint32_t value_string_size(const struct pb_type *type, const uint8_t *data);

// Whether values of this kind can be printed by this executable.
bool value_is_linked(uint32_t kind);

// Types that need more than the resources are features of their own (shim/features.h): shim_print_<kind>.
typedef void value_printer(struct printer *printer, const struct pb_type *type, const uint8_t *data);
extern value_printer shim_print_ksym;
extern value_printer shim_print_usym;
extern value_printer shim_print_username;
extern value_printer shim_print_timestamp;
extern value_printer shim_print_cgroup_path;
extern value_printer shim_print_kstack;
extern value_printer shim_print_ustack;
extern value_printer shim_print_ustack_names;  // of ustack, in the modes that show names
extern value_printer shim_print_inet;
extern value_printer shim_print_mac_address;
extern value_printer shim_print_parameter;

// A little-endian number of 1, 2, 4 or 8 bytes.
uint64_t load_unsigned(const uint8_t *data, uint32_t size);
int64_t load_signed(const uint8_t *data, uint32_t size);

#endif
