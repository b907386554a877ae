#include "shim/output/value.h"

#include <string.h>

#include "shim/output/histogram.h"
#include "shim/output/text.h"
#include "shim/output/time_series.h"

// Both target architectures are little-endian, and so is this program then.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are loaded by copying their low bytes");

// Features that may be missing: see shim/features.h.
#pragma weak shim_print_inet
#pragma weak shim_print_mac_address
#pragma weak shim_print_ksym
#pragma weak shim_print_usym
#pragma weak shim_print_username
#pragma weak shim_print_timestamp
#pragma weak shim_print_cgroup_path
#pragma weak shim_print_kstack
#pragma weak shim_print_ustack
#pragma weak shim_print_parameter
#pragma weak shim_print_hist
#pragma weak shim_print_lhist
#pragma weak shim_print_tseries

uint64_t load_unsigned(const uint8_t *data, uint32_t size) {
  uint64_t value = 0;
  memcpy(&value, data, size <= sizeof(value) ? size : sizeof(value));
  return value;
}

int64_t load_signed(const uint8_t *data, uint32_t size) {
  uint64_t value = load_unsigned(data, size);
  if (size >= sizeof(value))
    return (int64_t)value;
  uint64_t sign = UINT64_C(1) << (8 * size - 1);
  return (int64_t)((value ^ sign) - sign);
}

bool value_number(const struct pb_type *type, const uint8_t *data, uint64_t *number) {
  switch (type->kind) {
    case PB_TYPE_INTEGER:
      *number = type->is_signed ? (uint64_t)load_signed(data, type->size) : load_unsigned(data, type->size);
      return true;
    case PB_TYPE_BOOL:
      *number = data[0] != 0;
      return true;
    case PB_TYPE_POINTER:
      *number = load_unsigned(data, 8);
      return true;
    default:
      return false;
  }
}

uint32_t value_string_size(const struct pb_type *type, const uint8_t *data) {
  return (uint32_t)strnlen((const char *)data, type->size);
}

static void print_text(struct printer *printer, const char *text) {
  printer->format->string(printer, text, strlen(text), "");
}

static void print_enumerator(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  const struct pb_enum *enumeration = &printer->tracer->resources->enums[type->enumeration];
  uint64_t value = load_unsigned(data, type->size);
  for (uint32_t i = 0; i < enumeration->enumerators_count; i++) {
    const struct pb_enumerator *enumerator = &enumeration->enumerators[i];
    int64_t candidate = enumerator->value;
    if (load_unsigned((const uint8_t *)&candidate, type->size) == value) {
      printer->format->symbol(printer, enumerator->name, strlen(enumerator->name), value);
      return;
    }
  }
  struct number number;
  number_format(&number, value, DECIMAL, false);
  printer->format->symbol(printer, number.text, number.size, value);
}

static void print_integer(struct printer *printer, const struct pb_type *type, const uint8_t *data, uint32_t div) {
  if (type->enumeration)
    print_enumerator(printer, type, data);
  else if (type->is_signed)
    printer->format->integer(printer, (uint64_t)(load_signed(data, type->size) / (int64_t)div), true);
  else
    printer->format->integer(printer, load_unsigned(data, type->size) / div, false);
}

static void print_pointer(struct printer *printer, const uint8_t *data) {
  uint64_t value = load_unsigned(data, 8);
  struct number number;
  number_format(&number, value, HEX, false);
  number_prefix(&number, 'x');
  number_prefix(&number, '0');
  printer->format->symbol(printer, number.text, number.size, value);
}

static void print_string(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  uint32_t size = value_string_size(type, data);
  bool is_cut = size == type->size;  // its NUL did not fit
  printer->format->string(printer, (const char *)data, size, is_cut ? printer->tracer->resources->config->str_trunc_trailer : "");
}

static void print_buffer(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  uint64_t room = type->size - sizeof(uint32_t);
  uint64_t size = load_unsigned(data, sizeof(uint32_t));
  printer->format->buffer(printer, data + sizeof(uint32_t), size < room ? size : room);
}

static void print_array(struct printer *printer, const struct pb_type *type, const uint8_t *data, uint32_t div) {
  const struct pb_type *element = &printer->tracer->resources->types[type->element];
  printer->format->group_open(printer, GROUP_ARRAY, !type->count);
  for (uint32_t i = 0; i < type->count; i++) {
    printer->format->member(printer, GROUP_ARRAY, NULL, i == 0);
    value_print(printer, element, data + (uint64_t)i * element->size, div);
  }
  if (type->count)
    printer->format->group_close(printer, GROUP_ARRAY);
}

static void print_field(struct printer *printer, const struct pb_field *field, const uint8_t *data, uint32_t div) {
  const struct pb_type *type = &printer->tracer->resources->types[field->type];
  data += field->offset;
  uint64_t bits = 0;
  if (field->bit_size) {
    bits = load_unsigned(data, type->size) >> field->bit_shift;
    if (field->bit_size < 64)
      bits &= (UINT64_C(1) << field->bit_size) - 1;
    data = (const uint8_t *)&bits;
  }
  value_print(printer, type, data, div);
}

static bool is_anonymous(const struct printer *printer, const struct pb_field *field) {
  uint32_t kind = printer->tracer->resources->types[field->type].kind;
  return !field->name[0] && (kind == PB_TYPE_STRUCT || kind == PB_TYPE_UNION);
}

// The members of anonymous structs and unions are shown as members of what contains them. Returns whether any was printed.
static bool print_fields(struct printer *printer, enum group group, const struct pb_type *type, const uint8_t *data,
                         uint32_t div, bool first) {
  for (uint32_t i = 0; i < type->fields_count; i++) {
    const struct pb_field *field = &type->fields[i];
    if (group == GROUP_RECORD && is_anonymous(printer, field)) {
      const struct pb_type *inner = &printer->tracer->resources->types[field->type];
      first = print_fields(printer, group, inner, data + field->offset, div, first);
      continue;
    }
    printer->format->member(printer, group, field->name, first);
    print_field(printer, field, data, div);
    first = false;
  }
  return first;
}

static bool has_fields(const struct printer *printer, const struct pb_type *type) {
  for (uint32_t i = 0; i < type->fields_count; i++) {
    const struct pb_field *field = &type->fields[i];
    if (!is_anonymous(printer, field) || has_fields(printer, &printer->tracer->resources->types[field->type]))
      return true;
  }
  return false;
}

static void print_group(struct printer *printer, const struct pb_type *type, const uint8_t *data, uint32_t div) {
  enum group group = type->kind == PB_TYPE_TUPLE ? GROUP_TUPLE : GROUP_RECORD;
  bool empty = group == GROUP_TUPLE ? !type->fields_count : !has_fields(printer, type);
  printer->format->group_open(printer, group, empty);
  if (empty)
    return;
  print_fields(printer, group, type, data, div, true);
  printer->format->group_close(printer, group);
}

static void print_probe(struct printer *printer, const uint8_t *data) {
  const struct pb_required_resources *resources = printer->tracer->resources;
  uint64_t index = load_unsigned(data, 8);
  print_text(printer, index < resources->probes_count ? resources->probes[index].name : "");
}

static value_printer *const feature_printers[] = {
    [PB_TYPE_INET] = shim_print_inet,
    [PB_TYPE_MAC_ADDRESS] = shim_print_mac_address,
    [PB_TYPE_KSYM] = shim_print_ksym,
    [PB_TYPE_USYM] = shim_print_usym,
    [PB_TYPE_USERNAME] = shim_print_username,
    [PB_TYPE_TIMESTAMP] = shim_print_timestamp,
    [PB_TYPE_CGROUP_PATH] = shim_print_cgroup_path,
    [PB_TYPE_KSTACK] = shim_print_kstack,
    [PB_TYPE_USTACK] = shim_print_ustack,
    [PB_TYPE_PARAMETER] = shim_print_parameter,
};

static value_printer *feature_printer(uint32_t kind) {
  return kind < sizeof(feature_printers) / sizeof(*feature_printers) ? feature_printers[kind] : NULL;
}

bool value_is_linked(uint32_t kind) {
  switch (kind) {
    case PB_TYPE_INET:
    case PB_TYPE_MAC_ADDRESS:
    case PB_TYPE_KSYM:
    case PB_TYPE_USYM:
    case PB_TYPE_USERNAME:
    case PB_TYPE_TIMESTAMP:
    case PB_TYPE_CGROUP_PATH:
    case PB_TYPE_KSTACK:
    case PB_TYPE_USTACK:
    case PB_TYPE_PARAMETER:
      return feature_printer(kind) != NULL;
    case PB_TYPE_HIST:
      return shim_print_hist != NULL;
    case PB_TYPE_LHIST:
      return shim_print_lhist != NULL;
    case PB_TYPE_TSERIES:
      return shim_print_tseries != NULL;
    default:
      return true;
  }
}

void value_print(struct printer *printer, const struct pb_type *type, const uint8_t *data, uint32_t div) {
  switch (type->kind) {
    case PB_TYPE_INTEGER:
      print_integer(printer, type, data, div);
      break;
    case PB_TYPE_BOOL:
      printer->format->boolean(printer, data[0] != 0);
      break;
    case PB_TYPE_POINTER:
      print_pointer(printer, data);
      break;
    case PB_TYPE_STRING:
      print_string(printer, type, data);
      break;
    case PB_TYPE_BUFFER:
      print_buffer(printer, type, data);
      break;
    case PB_TYPE_ARRAY:
      print_array(printer, type, data, div);
      break;
    case PB_TYPE_STRUCT:
    case PB_TYPE_UNION:
    case PB_TYPE_TUPLE:
    case PB_TYPE_RECORD:
      print_group(printer, type, data, div);
      break;
    case PB_TYPE_PROBE:
      print_probe(printer, data);
      break;
    default: {
      value_printer *print = feature_printer(type->kind);
      if (print)  // payload.c has refused the payload otherwise
        print(printer, type, data);
    }
  }
}
