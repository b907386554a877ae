#include "shim/parameters.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shim/report.h"
#include "shim/small_printf.h"

static const char *parse_unsigned(const char *text, uint64_t *value) {
  static const struct {
    char name[4];
    uint64_t limit;
    uint64_t factor;
  } suffixes[] = {
      {"", UINT64_MAX, 1},    {"u", UINT32_MAX, 1},   {"ul", UINT64_MAX, 1},     {"ull", UINT64_MAX, 1},
      {"l", INT64_MAX, 1},    {"ll", INT64_MAX, 1},   {"ns", UINT64_MAX, 1},     {"us", UINT64_MAX, 1000},
      {"ms", UINT64_MAX, 1000000},                    {"s", UINT64_MAX, 1000000000},
      {"m", UINT64_MAX, 60000000000},                 {"h", UINT64_MAX, 3600000000000},
      {"d", UINT64_MAX, 86400000000000},
  };
  // Underscores separate digits.
  char digits[80];
  size_t used = 0;
  for (; *text; text++) {
    if (*text == '_')
      continue;
    if (used + 1 == sizeof(digits))
      return "value is out of range";
    digits[used++] = *text;
  }
  digits[used] = 0;

  const char *start = digits;
  int base = 10;
  if (start[0] == '0' && (start[1] | 0x20) == 'x')
    base = 16, start += 2;
  else if (start[0] == '0' && (start[1] | 0x20) == 'b')
    base = 2, start += 2;
  else if (start[0] == '0' && start[1] >= '0' && start[1] <= '7')
    base = 8, start += 1;
  int first = *start | 0x20;
  if (!(first >= '0' && first <= '9') && !(base == 16 && first >= 'a' && first <= 'f'))
    return "invalid integer";
  char *end;
  errno = 0;
  uint64_t number = strtoull(start, &end, base);
  if (errno == ERANGE)
    return "value is out of range";
  if (end == start)
    return "invalid integer";
  if ((*end | 0x20) == 'e' && end[1] >= '1' && end[1] <= '9') {
    if (number < 1 || number > 9)
      return "coefficient part of scientific literal must be 1-9";
    for (unsigned long exponent = strtoul(end + 1, &end, 10); exponent; exponent--) {
      if (number > UINT64_MAX / 10)
        return "value is out of range";
      number *= 10;
    }
  }
  for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
    if (strcmp(end, suffixes[i].name) != 0)
      continue;
    if (number > suffixes[i].limit / suffixes[i].factor)
      return "value is out of range";
    *value = number * suffixes[i].factor;
    return NULL;
  }
  return "invalid trailing bytes";
}

const char *parameter_parse_integer(const char *text, int64_t *value) {
  uint64_t magnitude;
  bool is_negative = *text == '-';
  const char *problem = parse_unsigned(text + is_negative, &magnitude);
  if (problem)
    return problem;
  if (is_negative && magnitude > (uint64_t)INT64_MAX + 1)
    return "value is out of range";
  *value = (int64_t)(is_negative ? 0 - magnitude : magnitude);
  return NULL;
}

const char *parameter_parse_bool(const char *text, int64_t *value) {
  static const char words[][2][6] = {{"0", "1"}, {"false", "true"}, {"off", "on"}, {"no", "yes"}};
  for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
    for (*value = 0; *value < 2; ++*value)
      if (!strcasecmp(text, words[i][*value]))
        return NULL;
  }
  return "expects a boolean (e.g. 'true')";
}

// `text` is NULL for a named parameter that stands without a value.
static int set(struct tracer *tracer, uint32_t index, const char *text) {
  const struct pb_parameter *parameter = &tracer->resources->parameters[index];
  struct parameter_value *value = &tracer->parameters[index];
  const char *problem = NULL;
  switch (parameter->kind) {
    case PB_PARAMETER_INTEGER:
      if (!text)
        problem = "expects an integer";
      else if (*text)
        problem = parameter_parse_integer(text, &value->integer);
      break;
    case PB_PARAMETER_BOOL:
      value->integer = 1;
      if (text)
        problem = parameter_parse_bool(text, &value->integer);
      break;
    case PB_PARAMETER_WORD:
      value->string = text;
      break;
    default:
      value->string = text;
      if (!text)
        problem = "expects a string";
      else if (strlen(text) >= parameter->size)
        problem = "is too long";
      break;
  }
  if (!problem)
    return 0;
  text = text ? text : "true";
  if (parameter->position)
    report(REPORT_ERROR, tracer->resources, parameter->span, "positional parameter $%u: %s (value: %s)", parameter->position,
           problem, text);
  else
    // Not the script's fault: no place in it.
    report(REPORT_ERROR, NULL, 0, "program command line option --%s %s (value: %s)", parameter->name, problem, text);
  return -EINVAL;
}

static int set_positional(struct tracer *tracer, uint32_t position, const char *text) {
  int err = 0;
  for (uint32_t i = 0; !err && i < tracer->resources->parameters_count; i++)
    if (tracer->resources->parameters[i].position == position)
      err = set(tracer, i, text);
  return err;
}

// `--help` after `--` asks for the named parameters; any other unknown name is wrong, and has them for a hint.
static int refuse_unknown(const struct tracer *tracer, const char *name) {
  bool is_help = !strcmp(name, "help");
  if (!is_help)
    report(REPORT_ERROR, NULL, 0, "unexpected program command line options: --%s", name);
  char expected[4096] = "";
  size_t used = 0;
  for (uint32_t i = 0; i < tracer->resources->parameters_count; i++) {
    const struct pb_parameter *parameter = &tracer->resources->parameters[i];
    if (parameter->position || used >= sizeof(expected))
      continue;
    bool is_described = is_help && *parameter->description;
    used += (size_t)small_snprintf(expected + used, sizeof(expected) - used, "%s--%s%s%s", is_help ? "\n" : used ? ", " : " ",
                                   parameter->name, is_described ? ": " : "", is_described ? parameter->description : "");
  }
  if (used)
    report_line("HINT: expected program options:%s", expected);
  else
    report_line("HINT: no custom program options defined.");
  return -EINVAL;
}

static int set_named(struct tracer *tracer, const char *argument) {
  const char *equals = strchr(argument, '=');
  size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
  for (uint32_t i = 0; i < tracer->resources->parameters_count; i++) {
    const struct pb_parameter *parameter = &tracer->resources->parameters[i];
    if (!parameter->position && strlen(parameter->name) == length && !memcmp(parameter->name, argument, length))
      return set(tracer, i, equals ? equals + 1 : NULL);
  }
  return refuse_unknown(tracer, argument);
}

int parameters_parse(struct tracer *tracer, int count, char *const *arguments) {
  const struct pb_required_resources *resources = tracer->resources;
  tracer->parameters = calloc(resources->parameters_count ? resources->parameters_count : 1, sizeof(*tracer->parameters));
  if (!tracer->parameters)
    return -ENOMEM;
  for (uint32_t i = 0; i < resources->parameters_count; i++)
    tracer->parameters[i].integer = resources->parameters[i].default_integer;

  uint32_t positional = 0;
  for (int i = 0; i < count; i++) {
    bool is_named = arguments[i][0] == '-' && arguments[i][1] == '-';
    int err = is_named ? set_named(tracer, arguments[i] + 2) : set_positional(tracer, ++positional, arguments[i]);
    if (err)
      return err;
  }
  tracer->options.positional_count = positional;
  for (uint32_t i = 0; i < resources->parameters_count; i++) {
    const struct pb_parameter *parameter = &resources->parameters[i];
    if (parameter->required && parameter->position > positional) {
      report(REPORT_ERROR, resources, parameter->span, "positional parameter $%u: not given", parameter->position);
      return -EINVAL;
    }
  }
  return 0;
}

void parameters_fill(const struct tracer *tracer, uint32_t map, uint8_t *data) {
  for (uint32_t i = 0; i < tracer->resources->parameters_count; i++) {
    const struct pb_parameter *parameter = &tracer->resources->parameters[i];
    const char *text = tracer->parameters[i].string;
    if (parameter->kind != PB_PARAMETER_STRING || parameter->map != map || !text)
      continue;
    strncpy((char *)data + parameter->offset, text, parameter->size);  // pads with NUL
  }
}
