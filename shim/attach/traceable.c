#include "shim/attach/traceable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"

// What ftrace lists in the place of a function that the linker has dropped: FTRACE_INVALID_FUNCTION of linux/ftrace.h.
static const char INVALID_FUNCTION[] = "__ftrace_invalid_address__";

// Takes a line apart in place and returns where the next one begins. It is "name" or "name [module]", in
// available_filter_functions_addrs (6.5) with an address before it.
static char *parse_line(char *line, bool has_address, struct traceable *function) {
  char *end = strchr(line, '\n');
  char *next = end ? end + 1 : line + strlen(line);
  if (end)
    *end = 0;
  char *rest = line;
  function->address = has_address ? strtoull(line, &rest, 16) : 0;
  while (*rest == ' ')
    rest++;
  function->name = rest;
  function->module = "vmlinux";
  char *bracket = strchr(rest, '[');
  if (bracket) {
    function->module = bracket + 1;
    bracket[strcspn(bracket, "]")] = 0;
  }
  rest[strcspn(rest, " \t")] = 0;
  return next;
}

int traceable_each(const struct tracer *tracer, uint32_t probe, traceable_visitor *visit, void *context) {
  const struct pb_probe *description = &tracer->resources->probes[probe];
  const char *tracefs = host_tracefs();
  char path[128], *text;
  size_t size;
  bool has_address = true;
  small_snprintf(path, sizeof(path), "%s/available_filter_functions_addrs", tracefs ? tracefs : "");
  int err = host_read_file(path, &text, &size);
  if (err == -ENOENT) {
    has_address = false;
    *strrchr(path, '_') = 0;
    err = host_read_file(path, &text, &size);
  }
  if (err) {
    report(REPORT_ERROR, tracer->resources, description->span, "%s: list functions: %s: %s%s", description->name, path,
           report_cause(err), report_closed_hint(err));
    return err == -ENOENT ? -ENODEV : err;
  }
  for (char *at = text; *at && !err;) {
    struct traceable function;
    at = parse_line(at, has_address, &function);
    if (strncmp(function.name, INVALID_FUNCTION, sizeof(INVALID_FUNCTION) - 1) != 0)
      err = visit(context, &function);
  }
  free(text);
  return err;
}
