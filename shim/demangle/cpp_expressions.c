// C++: expressions, which are in the types of templates.
#include <string.h>

#include "shim/demangle/cpp.h"

// In the order of their codes. Those without operands are not read as such: their expressions have forms of their own.
static const struct cpp_operator operators[] = {
    {"aN", 2, "&="},  {"aS", 2, "="},   {"aa", 2, "&&"},  {"ad", 1, "&"},       {"an", 2, "&"},   {"at", 0, "alignof "},
    {"aw", 1, " co_await"}, {"az", 0, "alignof "}, {"cl", 0, "()"}, {"cm", 2, ","}, {"co", 1, "~"}, {"dV", 2, "/="},
    {"da", 1, " delete[]"}, {"de", 1, "*"}, {"dl", 1, " delete"}, {"ds", 2, ".*"}, {"dv", 2, "/"}, {"eO", 2, "^="},
    {"eo", 2, "^"},   {"eq", 2, "=="},  {"ge", 2, ">="},  {"gt", 2, ">"},       {"ix", 0, "[]"},  {"lS", 2, "<<="},
    {"le", 2, "<="},  {"ls", 2, "<<"},  {"lt", 2, "<"},   {"mI", 2, "-="},      {"mL", 2, "*="},  {"mi", 2, "-"},
    {"ml", 2, "*"},   {"mm", 1, "--"},  {"na", 0, " new[]"}, {"ne", 2, "!="},   {"ng", 1, "-"},   {"nt", 1, "!"},
    {"nw", 0, " new"}, {"oR", 2, "|="}, {"oo", 2, "||"},  {"or", 2, "|"},       {"pL", 2, "+="},  {"pl", 2, "+"},
    {"pm", 2, "->*"}, {"pp", 1, "++"},  {"ps", 1, "+"},   {"pt", 0, "->"},      {"qu", 0, "?"},   {"rM", 2, "%="},
    {"rS", 2, ">>="}, {"rm", 2, "%"},   {"rs", 2, ">>"},  {"ss", 2, "<=>"},     {"st", 0, "sizeof "}, {"sz", 0, "sizeof "},
};

const struct cpp_operator *cpp_operator_at(const struct cpp_tree *tree) {
  for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
    if (cpp_peek(tree, 0) == operators[i].code[0] && cpp_peek(tree, 1) == operators[i].code[1])
      return &operators[i];
  return NULL;
}

static uint16_t with_text(struct cpp_tree *tree, enum cpp_kind kind, const char *text, uint16_t left, uint16_t right) {
  uint16_t node = cpp_add_text(tree, kind, text, strlen(text));
  tree->nodes[node].left = left;
  tree->nodes[node].right = right;
  return node;
}

uint16_t cpp_literal(struct cpp_tree *tree) {
  if (!cpp_take(tree, "L"))
    return 0;
  if (cpp_take(tree, "_Z")) {
    uint16_t scope = tree->scope;
    uint16_t entity = cpp_encoding(tree, false);
    tree->scope = scope;
    return cpp_take(tree, "E") ? entity : 0;
  }
  uint16_t type = cpp_type(tree);
  if (!type)
    return 0;
  const char *value = tree->at;
  while (cpp_peek(tree, 0) && cpp_peek(tree, 0) != 'E')
    tree->at++;
  uint16_t node = cpp_add_text(tree, CPP_LITERAL, value, (size_t)(tree->at - value));
  tree->nodes[node].left = type;
  return cpp_take(tree, "E") ? node : 0;
}

static uint16_t expressions_until_end(struct cpp_tree *tree) {
  uint16_t list = cpp_add(tree, CPP_LIST, 0, 0), last = 0;
  while (list && !cpp_take(tree, "E"))
    if (!cpp_append(tree, list, &last, cpp_expression(tree)))
      return 0;
  return list;
}

// fp_, fp0_, fL0p_: a parameter of the function; fpT is `this`.
static uint16_t function_parameter(struct cpp_tree *tree) {
  uint16_t index, level;
  uint16_t node = cpp_add(tree, CPP_FUNCTION_PARAMETER, 0, 0);
  if (!node || cpp_take(tree, "fpT"))
    return node;
  if (cpp_take(tree, "fL") ? !cpp_number(tree, &level) || !cpp_take(tree, "p") : !cpp_take(tree, "fp"))
    return 0;
  while (cpp_peek(tree, 0) == 'r' || cpp_peek(tree, 0) == 'V' || cpp_peek(tree, 0) == 'K')
    tree->at++;
  if (!cpp_index(tree, &index))
    return 0;
  tree->nodes[node].size = (uint16_t)(index + 1);
  return node;
}

// A name with its template arguments, or the name of an operator; in the scope `outer` if there is one.
static uint16_t base_name(struct cpp_tree *tree, uint16_t outer) {
  uint16_t name;
  if (cpp_take(tree, "dn")) {
    uint16_t type = cpp_type(tree);
    name = type ? cpp_add(tree, CPP_DESTRUCTOR, type, 0) : 0;
  } else {
    cpp_take(tree, "on");
    name = cpp_unqualified_name(tree, 0);
  }
  if (name && outer)
    name = cpp_add(tree, CPP_QUALIFIED, outer, name);
  if (!name || cpp_peek(tree, 0) != 'I')
    return name;
  uint16_t arguments = cpp_template_arguments(tree);
  return arguments ? cpp_add(tree, CPP_TEMPLATE, name, arguments) : 0;
}

static uint16_t member_name(struct cpp_tree *tree) {
  return base_name(tree, 0);
}

// What "sr" begins: a member of a type or namespace that is not known yet. With more than one level, or a level that is only a name,
// all levels but the last end with E.
static uint16_t member_of_type(struct cpp_tree *tree) {
  char first = cpp_peek(tree, 0);
  bool is_name = first >= '0' && first <= '9', has_end = cpp_take(tree, "N") || is_name;
  uint16_t name = is_name ? base_name(tree, 0) : cpp_type(tree);
  while (has_end && name && !cpp_take(tree, "E"))
    name = base_name(tree, name);
  return name ? base_name(tree, name) : 0;
}

static uint16_t cast(struct cpp_tree *tree) {
  uint16_t type = cpp_type(tree);
  uint16_t values = !type ? 0 : cpp_take(tree, "_") ? expressions_until_end(tree) : cpp_expression(tree);
  return values ? cpp_add(tree, CPP_CAST, type, values) : 0;
}

static uint16_t initializer(struct cpp_tree *tree, bool has_type) {
  uint16_t type = has_type ? cpp_type(tree) : 0;
  uint16_t values = has_type && !type ? 0 : expressions_until_end(tree);
  return values ? cpp_add(tree, CPP_INITIALIZER, type, values) : 0;
}

// `text` between two expressions.
static uint16_t binary(struct cpp_tree *tree, const char *text, uint16_t (*read_right)(struct cpp_tree *)) {
  uint16_t left = cpp_expression(tree);
  uint16_t right = left ? read_right(tree) : 0;
  return right ? with_text(tree, CPP_BINARY, text, left, right) : 0;
}

static uint16_t of(struct cpp_tree *tree, const char *text, uint16_t operand) {
  return operand ? with_text(tree, CPP_OF, text, operand, 0) : 0;
}

// The forms that are not just an operator with operands.
static uint16_t special_form(struct cpp_tree *tree) {
  static const char *const named_casts[][2] = {
      {"dc", "dynamic_cast"}, {"sc", "static_cast"}, {"cc", "const_cast"}, {"rc", "reinterpret_cast"}};
  for (size_t i = 0; i < sizeof(named_casts) / sizeof(*named_casts); i++) {
    if (!cpp_take(tree, named_casts[i][0]))
      continue;
    uint16_t type = cpp_type(tree);
    uint16_t value = type ? cpp_expression(tree) : 0;
    return value ? with_text(tree, CPP_NAMED_CAST, named_casts[i][1], type, value) : 0;
  }
  if (cpp_take(tree, "sr"))
    return member_of_type(tree);
  if (cpp_take(tree, "cv"))
    return cast(tree);
  if (cpp_take(tree, "il"))
    return initializer(tree, false);
  if (cpp_take(tree, "tl"))
    return initializer(tree, true);
  if (cpp_take(tree, "st"))
    return of(tree, "sizeof ", cpp_type(tree));
  if (cpp_take(tree, "sz"))
    return of(tree, "sizeof ", cpp_expression(tree));
  if (cpp_take(tree, "at"))
    return of(tree, "alignof ", cpp_type(tree));
  if (cpp_take(tree, "az"))
    return of(tree, "alignof ", cpp_expression(tree));
  if (cpp_take(tree, "nx"))
    return of(tree, "noexcept ", cpp_expression(tree));
  if (cpp_take(tree, "dt"))
    return binary(tree, ".", member_name);
  if (cpp_take(tree, "pt"))
    return binary(tree, "->", member_name);
  if (cpp_take(tree, "ix"))
    return binary(tree, "[", cpp_expression);
  uint16_t first;
  if (cpp_take(tree, "sZ")) {
    first = cpp_peek(tree, 0) == 'T' ? cpp_template_parameter(tree) : function_parameter(tree);
    return first ? cpp_add(tree, CPP_COUNT_OF, first, 0) : 0;
  }
  if (cpp_take(tree, "sp")) {
    first = cpp_expression(tree);
    return first ? cpp_add(tree, CPP_EXPANSION, first, 0) : 0;
  }
  if (cpp_take(tree, "cl")) {
    first = cpp_expression(tree);
    uint16_t arguments = first ? expressions_until_end(tree) : 0;
    return arguments ? cpp_add(tree, CPP_CALL, first, arguments) : 0;
  }
  if (cpp_take(tree, "qu")) {
    first = cpp_expression(tree);
    uint16_t list = first ? cpp_add(tree, CPP_LIST, 0, 0) : 0, last = 0;
    if (!list || !cpp_append(tree, list, &last, cpp_expression(tree)) || !cpp_append(tree, list, &last, cpp_expression(tree)))
      return 0;
    return cpp_add(tree, CPP_CONDITIONAL, first, list);
  }
  return 0;
}

static uint16_t read_expression(struct cpp_tree *tree) {
  cpp_take(tree, "gs");
  char first = cpp_peek(tree, 0), second = cpp_peek(tree, 1);
  if (first == 'L')
    return cpp_literal(tree);
  if (first == 'T')
    return cpp_template_parameter(tree);
  if (first == 'f' && (second == 'p' || (second == 'L' && cpp_peek(tree, 2) >= '0' && cpp_peek(tree, 2) <= '9')))
    return function_parameter(tree);
  if (first == 'o' && second == 'n')
    return base_name(tree, 0);
  if (first >= '0' && first <= '9')
    return base_name(tree, 0);
  const char *start = tree->at;
  uint16_t node = special_form(tree);
  if (node || tree->at != start)
    return node;
  const struct cpp_operator *operator= cpp_operator_at(tree);
  if (!operator|| !operator->operands)
    return 0;
  tree->at += 2;
  if (operator->operands == 2)
    return binary(tree, operator->text, cpp_expression);
  bool is_step = first == second && (first == 'p' || first == 'm');
  bool is_prefix = is_step && cpp_take(tree, "_");
  uint16_t operand = cpp_expression(tree);
  return operand ? with_text(tree, is_step && !is_prefix ? CPP_POSTFIX : CPP_UNARY, operator->text, operand, 0) : 0;
}

uint16_t cpp_expression(struct cpp_tree *tree) {
  if (tree->depth == CPP_DEPTH)
    return 0;
  tree->depth++;
  bool was_in_conversion = tree->in_conversion;
  tree->in_conversion = false;
  uint16_t node = read_expression(tree);
  tree->in_conversion = was_in_conversion;
  tree->depth--;
  return node;
}
