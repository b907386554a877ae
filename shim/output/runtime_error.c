// What went wrong inside a program: helpers that failed, divisions by zero. Upstream's words.
#include <errno.h>
#include <string.h>

#include "shim/output/output.h"
#include "shim/output/text.h"
#include "shim/output/value.h"
#include "shim/report.h"

static const char *const messages[] = {
    [PB_RUNTIME_ERROR_DIVIDE_BY_ZERO] =
        "Divide or modulo by 0 detected. This can lead to unexpected results. 1 is being used as the result.",
    [PB_RUNTIME_ERROR_ARRAY_OUT_OF_BOUNDS] = "Array access out of bounds. This can lead to unexpected results.",
    [PB_RUNTIME_ERROR_CPU_COUNT_MISMATCH] = "CPU count mismatch; unable to find per-cpu data.",
    [PB_RUNTIME_ERROR_KSTACK] = "Error reading kstack.",
    [PB_RUNTIME_ERROR_USTACK] = "Error reading ustack.",
    [PB_RUNTIME_ERROR_USTACK_NO_DWARF] =
        "No DWARF unwind data available for this process. Use -p or --dwarf-pid to specify target PIDs.",
    [PB_RUNTIME_ERROR_LAYOUT] =
        "The structure has another layout on this kernel than on the one that the script was compiled for.",
};

// Failures that have an explanation better than the errno's.
static const struct {
  const char *helper;
  int result;  // 0 for any
  const char *message;
} explanations[] = {
    {"map_update_elem", -E2BIG,
     "Map full; can't update element. Try increasing max_map_keys config or manually setting the max entries in a map "
     "declaration e.g. `let @a = hash(5000)`"},
    {"map_delete_elem", -ENOENT, "Can't delete map element because it does not exist."},
    {"map_lookup_elem", 0, "Can't lookup map element because it does not exist."},
};

// The texts of glibc, which upstream prints, where those of musl differ.
static const char *error_text(int result) {
  switch (-result) {
    case 0:
      return "Success";
    case ENOMEM:
      return "Cannot allocate memory";
    case EBUSY:
      return "Device or resource busy";
    case ENAMETOOLONG:
      return "File name too long";
    case EOPNOTSUPP:
      return "Operation not supported";
    case ERANGE:
      return "Numerical result out of range";
    case EDOM:
      return "Numerical argument out of domain";
    case EDEADLK:
      return "Resource deadlock avoided";
    case EPROTO:
      return "Protocol error";
    default:
      return strerror(-result);
  }
}

static void put_number(struct writer *writer, int64_t value) {
  struct number number;
  number_format_signed(&number, value, false);
  writer_put(writer, number.text, number.size);
}

static void put_helper_error(struct writer *writer, const char *helper, int result) {
  const char *message = NULL;
  for (size_t i = 0; !message && i < sizeof(explanations) / sizeof(*explanations); i++) {
    bool applies = !explanations[i].result || explanations[i].result == result;
    if (applies && !strcmp(explanations[i].helper, helper))
      message = explanations[i].message;
  }
  writer_text(writer, message ? message : error_text(result));
  writer_text(writer, "\nAdditional Info - helper: ");
  writer_text(writer, helper);
  writer_text(writer, ", retcode: ");
  put_number(writer, result);
}

int shim_action_runtime_error(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)size;
  tracer->errors++;
  if (tracer->options.no_warnings)
    return 0;
  const struct pb_runtime_error *error = action->runtime_error;
  struct writer message;
  report_begin(&message, REPORT_WARNING, tracer->resources, action->span);
  if (error->kind == PB_RUNTIME_ERROR_HELPER) {
    const struct pb_argument *result = error->result;
    uint64_t number = 0;
    if (result)
      value_number(&tracer->resources->types[result->type], event + result->offset, &number);
    put_helper_error(&message, error->helper, (int)number);
  } else if (error->kind < sizeof(messages) / sizeof(*messages)) {
    writer_text(&message, messages[error->kind]);
  }
  report_end(&message, REPORT_WARNING, tracer->resources, action->span, true);
  return 0;
}
