#include "shim/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/probe_filter.h"
#include "shim/report.h"
#include "shim/small_printf.h"

#pragma weak shim_filter_targets  // a feature: see features.h

// One option. `letter` is 0 for one that has only a long name.
struct option {
  char letter;
  const char *name;
  const char *argument;  // NULL if it takes none
  const char *help;      // NULL for one that -h does not show
};

enum {
  OPTION_HELP,
  OPTION_VERSION,
  OPTION_QUIET,
  OPTION_VERBOSE,
  OPTION_OUTPUT,
  OPTION_FORMAT,
  OPTION_BUFFER,
  OPTION_DEBUG,
  OPTION_NO_WARNINGS,
  OPTION_PID,
  OPTION_COMMAND,
  OPTION_DWARF_PID,
  OPTION_USDT,
  OPTION_MODE,
  OPTION_TEST,
  OPTION_BENCH,
  OPTION_PROBE_FILTER,
  OPTION_DRY_RUN,
};

static const struct option table[] = {
    [OPTION_HELP] = {'h', "help", NULL, "show this help message"},
    [OPTION_VERSION] = {'V', "version", NULL, "show the versions of script and compiler"},
    [OPTION_QUIET] = {'q', "quiet", NULL, "keep messages quiet"},
    [OPTION_VERBOSE] = {'v', "verbose", NULL, "enable verbose messages"},
    [OPTION_OUTPUT] = {'o', "output", "FILE", "redirect output to FILE"},
    [OPTION_FORMAT] = {'f', "format", "FORMAT", "output format ('text')"},
    [OPTION_BUFFER] = {'B', "buffer", "MODE", "output buffering mode ('line', 'full', 'none')"},
    [OPTION_DEBUG] = {'d', "debug", "STAGE", "debug info for a stage ('verifier', 'all')"},
    [OPTION_NO_WARNINGS] = {0, "no-warnings", NULL, "disable all warning messages"},
    [OPTION_PID] = {'p', "pid", "PID", "trace this process only, and end when it ends"},
    [OPTION_COMMAND] = {'c', "cmd", "CMD", "run CMD with its words split at blanks, and end when it ends"},
    [OPTION_DWARF_PID] = {0, "dwarf-pid", "PID", "let dw_ustack know this process too"},
    [OPTION_USDT] = {0, "usdt-file-activation", NULL, NULL},
    [OPTION_MODE] = {0, "mode", "MODE", NULL},
    [OPTION_TEST] = {0, "test", NULL, "run the script's test probes"},
    [OPTION_BENCH] = {0, "bench", NULL, "run the script's bench probes"},
    [OPTION_PROBE_FILTER] = {0, "probe-filter", "REGEX", "only run probes whose name matches REGEX"},
    [OPTION_DRY_RUN] = {0, "dry-run", NULL, "end when all probes are attached"},
};

enum { OPTIONS_COUNT = sizeof(table) / sizeof(*table) };

static void print(const char *text) {
  ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));
  (void)ignored;
}

// Whether the same parameter, used in another way, comes before.
static bool is_listed(const struct pb_required_resources *resources, uint32_t index) {
  uint32_t position = resources->parameters[index].position;
  for (uint32_t i = 0; position && i < index; i++)
    if (resources->parameters[i].position == position)
      return true;
  return false;
}

static void print_help(const struct pb_required_resources *resources) {
  char line[512];
  small_snprintf(line, sizeof(line), "%s - a tracer, compiled by rules_bpftrace\n\nUSAGE:\n    [options] [parameters]\n\nOPTIONS:\n",
           resources->script->name);
  print(line);
  for (int i = 0; i < OPTIONS_COUNT; i++) {
    const struct option *option = &table[i];
    if (!option->help)
      continue;
    char names[64];
    if (option->letter)
      small_snprintf(names, sizeof(names), "-%c, --%s %s", option->letter, option->name, option->argument ? option->argument : "");
    else
      small_snprintf(names, sizeof(names), "    --%s %s", option->name, option->argument ? option->argument : "");
    small_snprintf(line, sizeof(line), "    %-24s %s\n", names, option->help);
    print(line);
  }
  if (resources->parameters_count)
    print("\nPARAMETERS:\n");
  for (uint32_t i = 0; i < resources->parameters_count; i++) {
    const struct pb_parameter *parameter = &resources->parameters[i];
    if (is_listed(resources, i))
      continue;
    if (parameter->position)
      small_snprintf(line, sizeof(line), "    $%-23u %s\n", parameter->position, parameter->description);
    else
      small_snprintf(line, sizeof(line), "    --%-22s %s\n", parameter->name, parameter->description);
    print(line);
  }
}

static void print_version(const struct pb_required_resources *resources) {
  char line[512], hash[17] = "";
  for (uint32_t i = 0; i < 8 && i < resources->script->sha256.size; i++)
    small_snprintf(hash + 2 * (size_t)i, 3, "%02x", resources->script->sha256.data[i]);
  small_snprintf(line, sizeof(line), "%s (sha256 %s), compiled by rules_bpftrace %s\n", resources->script->name, hash,
           resources->compiler_version);
  print(line);
}

static int find(const char *name, size_t length, char letter) {
  for (int i = 0; i < OPTIONS_COUNT; i++) {
    if (letter ? table[i].letter == letter : name && strlen(table[i].name) == length && !memcmp(table[i].name, name, length))
      return i;
  }
  return -1;
}

static enum options_result wrong(const char *message, const char *detail) {
  report(REPORT_ERROR, NULL, 0, "USAGE: %s%s", message, detail);
  return OPTIONS_WRONG;
}

static enum options_result parse_pid(int *result, const char *text) {
  enum { MOST = 0x400000 };  // PID_MAX_LIMIT of 64-bit kernels
  char *end;
  unsigned long long pid = strtoull(text, &end, 0);
  const char *problem = end == text ? "invalid integer" : *end ? "invalid trailing bytes" : NULL;
  if (!problem && (!pid || pid > MOST))
    problem = "out of range";
  if (problem) {
    report(REPORT_ERROR, NULL, 0, "Failed to parse pid: %s: %s", problem, text);
    return OPTIONS_WRONG;
  }
  *result = (int)pid;
  return OPTIONS_RUN;
}

static enum options_result apply(struct options *options, const struct pb_required_resources *resources, int index,
                                 const char *argument) {
  static const char *const modes[] = {[WRITER_LINE] = "line", [WRITER_FULL] = "full", [WRITER_NONE] = "none"};
  switch (index) {
    case OPTION_HELP:
      print_help(resources);
      return OPTIONS_DONE;
    case OPTION_VERSION:
      print_version(resources);
      return OPTIONS_DONE;
    case OPTION_QUIET:
      options->quiet = true;
      return OPTIONS_RUN;
    case OPTION_VERBOSE:
      options->verbose = true;
      return OPTIONS_RUN;
    case OPTION_OUTPUT:
      options->output_file = argument;
      return OPTIONS_RUN;
    case OPTION_FORMAT:
      if (!strcmp(argument, "text"))
        return OPTIONS_RUN;
      if (!strcmp(argument, "json"))
        return wrong("-f json is not supported yet", "");
      return wrong("invalid output format: ", argument);
    case OPTION_BUFFER:
      for (unsigned mode = 0; mode < sizeof(modes) / sizeof(*modes); mode++) {
        if (!strcmp(argument, modes[mode])) {
          options->buffer_mode = (enum writer_mode)mode;
          return OPTIONS_RUN;
        }
      }
      return wrong("-B must be either 'line', 'full', or 'none'.", "");
    case OPTION_DEBUG:
      if (strcmp(argument, "verifier") != 0 && strcmp(argument, "all") != 0 && strcmp(argument, "libbpf") != 0)
        return wrong("invalid option for -d: ", argument);
      options->debug_verifier = strcmp(argument, "libbpf") != 0;
      return OPTIONS_RUN;
    case OPTION_NO_WARNINGS:
      options->no_warnings = true;
      return OPTIONS_RUN;
    case OPTION_PID:
      return parse_pid(&options->pid, argument);
    case OPTION_DWARF_PID:
      if (options->dwarf_pids_count == MAX_DWARF_PIDS)
        return wrong("there are too many of --dwarf-pid", "");
      return parse_pid(&options->dwarf_pids[options->dwarf_pids_count++], argument);
    case OPTION_COMMAND:
      options->command = argument;
      return OPTIONS_RUN;
    case OPTION_MODE:
      if (strcmp(argument, "bench") != 0 && strcmp(argument, "test") != 0)
        return wrong("--mode can only be 'bench' or 'test'.", "");
      options->mode = *argument == 't' ? MODE_TEST : MODE_BENCH;
      return OPTIONS_RUN;
    case OPTION_TEST:
    case OPTION_BENCH:
      if (options->mode != MODE_TRACE)
        return wrong(index == OPTION_TEST ? "--test" : "--bench", " conflicts with existing --mode");
      options->mode = index == OPTION_TEST ? MODE_TEST : MODE_BENCH;
      return OPTIONS_RUN;
    case OPTION_PROBE_FILTER:
      if (!shim_filter_targets)
        return wrong("--probe-filter needs a tracer that was compiled with --probe-filter", "");
      options->probe_filter = argument;
      return OPTIONS_RUN;
    case OPTION_USDT:
      return OPTIONS_RUN;  // the kernel counts the users of a probe in every process that maps the file (4.20)
    case OPTION_DRY_RUN:
      options->dry_run = true;
      return OPTIONS_RUN;
    default:
      return wrong("unknown option: ", table[index].name);
  }
}

// One word of options: `--name=argument`, `--name argument`, or letters, the last of which may have an argument. *next is the index
// of the word behind it.
static enum options_result parse_word(struct options *options, const struct pb_required_resources *resources, const char *word,
                                      int argc, char *const *argv, int *next) {
  bool is_long = word[1] == '-';
  const char *name = word + 1 + is_long;
  do {
    const char *equals = is_long ? strchr(name, '=') : NULL;
    int index = is_long ? find(name, equals ? (size_t)(equals - name) : strlen(name), 0) : find(NULL, 0, *name);
    if (index < 0)
      return wrong("unknown option: ", word);
    name = is_long ? (equals ? equals + 1 : NULL) : name + 1;
    const char *argument = "";
    if (table[index].argument) {
      if (!(name && *name) && *next == argc)
        return wrong("option needs an argument: ", word);
      argument = name && *name ? name : argv[(*next)++];
      name = NULL;
    } else if (is_long && name) {
      return wrong("option takes no argument: ", word);
    }
    enum options_result result = apply(options, resources, index, argument);
    if (result != OPTIONS_RUN)
      return result;
  } while (!is_long && name && *name);
  return OPTIONS_RUN;
}

enum options_result options_parse(struct options *options, const struct pb_required_resources *resources, int *argc, char **argv) {
  int kept = 1;
  for (int next = 1; next < *argc;) {
    char *word = argv[next++];
    if (!strcmp(word, "--")) {
      while (next < *argc)
        argv[kept++] = argv[next++];
    } else if (word[0] != '-' || !word[1]) {
      argv[kept++] = word;
    } else {
      enum options_result result = parse_word(options, resources, word, *argc, argv, &next);
      if (result != OPTIONS_RUN)
        return result;
    }
  }
  *argc = kept;
  return OPTIONS_RUN;
}
