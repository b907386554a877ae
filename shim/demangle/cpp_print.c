// C++: trees as text. A type is around what it is the type of, as in "void (*)(int)": so it has a left and a right half.
#include <string.h>

#include "shim/demangle/cpp.h"

// A small tree may stand for very much text, or for none at all in very many steps.
enum { MAX_STEPS = 1 << 16, NO_ELEMENT = -1 };

struct printer {
  const struct cpp_tree *tree;
  struct text *text;
  uint16_t scope;  // of the function that is being printed, 0 if it is none
  int element;  // of packs, while the pattern of an expansion is printed
  bool in_lambda;  // printing the parameters of one: template parameters are its own
  unsigned steps;
  unsigned depth;
  bool has_failed;
};

static void print(struct printer *p, uint16_t node);
static void print_left(struct printer *p, uint16_t node);
static void print_right(struct printer *p, uint16_t node);

static const struct cpp_node *at(const struct printer *p, uint16_t node) {
  return &p->tree->nodes[node];
}

static uint16_t element_of(const struct printer *p, uint16_t list, unsigned index) {
  for (; list && index; index--)
    list = at(p, list)->right;
  return at(p, list)->left;
}

// What a template parameter stands for, and what that stands for; 0 if that is not known. Of a pack it is one element, while the
// pattern of an expansion is printed.
static uint16_t resolve(struct printer *p, uint16_t node) {
  for (int i = 0; i < CPP_DEPTH && at(p, node)->kind == CPP_PARAMETER && !p->in_lambda; i++) {
    const struct cpp_node *it = at(p, node);
    // A substitution may bring it from another function, whose parameter has the same number.
    bool is_own = !p->scope || p->scope == it->left;
    uint16_t scope = is_own ? it->left : p->scope;
    node = is_own && it->right ? it->right : element_of(p, at(p, scope)->right, it->size);
    if (at(p, node)->kind == CPP_PACK && p->element != NO_ELEMENT)
      node = element_of(p, at(p, node)->left, (unsigned)p->element);
  }
  return at(p, node)->kind == CPP_PARAMETER && !p->in_lambda ? 0 : node;
}

// The first pack that a pattern uses: a list, 0 if there is none.
static uint16_t find_pack(struct printer *p, uint16_t node, unsigned depth) {
  if (!node || depth == CPP_DEPTH || ++p->steps > MAX_STEPS)
    return 0;
  const struct cpp_node *it = at(p, node);
  if (it->kind == CPP_PARAMETER) {
    const struct cpp_node *argument = at(p, resolve(p, node));
    return argument->kind == CPP_PACK ? argument->left : 0;
  }
  if (it->kind == CPP_EXPANSION || it->kind == CPP_SCOPE)
    return 0;
  uint16_t found = find_pack(p, it->left, depth + 1);
  return found ? found : find_pack(p, it->right, depth + 1);
}

static unsigned count_elements(const struct printer *p, uint16_t list) {
  unsigned count = 0;
  for (; list && at(p, list)->left; list = at(p, list)->right)
    count++;
  return count;
}

// Takes the separator back if nothing came behind it.
static void separate(struct printer *p, uint16_t node, bool *is_first) {
  size_t before = p->text->size;
  if (!*is_first)
    text_string(p->text, ", ");
  size_t start = p->text->size;
  print(p, node);
  if (p->text->size == start)
    p->text->size = before;
  else
    *is_first = false;
}

static void print_list(struct printer *p, uint16_t list) {
  bool is_first = true;
  for (; list && at(p, list)->left && !p->has_failed; list = at(p, list)->right)
    separate(p, at(p, list)->left, &is_first);
}

static void print_expansion(struct printer *p, uint16_t pattern) {
  int outer = p->element;
  p->element = NO_ELEMENT;
  uint16_t pack = find_pack(p, pattern, 0);
  if (!pack) {
    p->element = outer;
    print(p, pattern);
    text_string(p->text, "...");
    return;
  }
  bool is_first = true;
  unsigned count = count_elements(p, pack);
  for (unsigned i = 0; i < count && !p->has_failed; i++) {
    p->element = (int)i;
    separate(p, pattern, &is_first);
  }
  p->element = outer;
}

static void print_flags(struct printer *p, unsigned flags) {
  static const char *const words[] = {" const", " volatile", " restrict", " &", " &&", " noexcept"};
  for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
    if (flags & 1u << i)
      text_string(p->text, words[i]);
}

// Whether it wants parentheses around what is declared with it.
static bool is_function_or_array(struct printer *p, uint16_t node) {
  node = resolve(p, node);
  if (at(p, node)->kind == CPP_QUALIFIERS)
    node = resolve(p, at(p, node)->left);
  return at(p, node)->kind == CPP_FUNCTION_TYPE || at(p, node)->kind == CPP_ARRAY;
}

static bool has_right(struct printer *p, uint16_t node) {
  for (int i = 0; i < CPP_DEPTH; i++) {
    node = resolve(p, node);
    switch (at(p, node)->kind) {
      case CPP_FUNCTION_TYPE:
      case CPP_ARRAY:
        return true;
      case CPP_MEMBER_POINTER:
        node = at(p, node)->right;
        break;
      case CPP_POINTER:
      case CPP_REFERENCE:
      case CPP_RVALUE_REFERENCE:
      case CPP_QUALIFIERS:
        node = at(p, node)->left;
        break;
      default:
        return false;
    }
  }
  return false;
}

// A reference to a reference is one reference: of rvalues only if both are.
static uint16_t referenced(struct printer *p, uint16_t node, enum cpp_kind *kind) {
  *kind = at(p, node)->kind;
  node = resolve(p, at(p, node)->left);
  for (int i = 0; i < CPP_DEPTH; i++) {
    enum cpp_kind inner = at(p, node)->kind;
    if (*kind == CPP_POINTER || (inner != CPP_REFERENCE && inner != CPP_RVALUE_REFERENCE))
      break;
    if (inner == CPP_REFERENCE)
      *kind = inner;
    node = resolve(p, at(p, node)->left);
  }
  return node;
}

static void open_parenthesis(struct printer *p, uint16_t type) {
  if (is_function_or_array(p, type))
    text_string(p->text, text_last(p->text) == ' ' ? "(" : " (");
}

static void print_template(struct printer *p, const struct cpp_node *it) {
  print(p, it->left);
  text_string(p->text, text_last(p->text) == '<' ? " <" : "<");
  print_list(p, it->right);
  text_string(p->text, text_last(p->text) == '>' ? " >" : ">");
}

static void print_function(struct printer *p, const struct cpp_node *it) {
  const struct cpp_node *type = at(p, it->right);
  uint16_t outer = p->scope;
  bool was_in_lambda = p->in_lambda;
  p->scope = it->size;
  p->in_lambda = false;
  if (type->left) {
    print_left(p, type->left);
    if (!has_right(p, type->left))
      text_char(p->text, ' ');
  }
  print(p, it->left);
  text_char(p->text, '(');
  print_list(p, type->right);
  text_char(p->text, ')');
  print_flags(p, type->flags);
  if (type->left)
    print_right(p, type->left);
  p->scope = outer;
  p->in_lambda = was_in_lambda;
}

static void print_operand(struct printer *p, uint16_t node) {
  enum cpp_kind kind = at(p, node)->kind;
  bool is_simple = kind == CPP_NAME || kind == CPP_QUALIFIED || kind == CPP_INITIALIZER || kind == CPP_FUNCTION_PARAMETER;
  if (!is_simple)
    text_char(p->text, '(');
  print(p, node);
  if (!is_simple)
    text_char(p->text, ')');
}

static void print_literal(struct printer *p, const struct cpp_node *it) {
  static const char *const suffixes[] = {"i", "ju", "ll", "mul", "xll", "yull"};  // code of the type, suffix
  const struct cpp_node *type = at(p, it->left);
  const char *value = it->text;
  size_t size = it->size;
  char code = '\0';
  if (type->kind == CPP_BUILTIN)
    code = (char)type->flags;
  if (code == 'b' && size == 1 && (*value == '0' || *value == '1')) {
    text_string(p->text, *value == '0' ? "false" : "true");
    return;
  }
  const char *suffix = NULL;
  for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
    if (suffixes[i][0] == code)
      suffix = suffixes[i] + 1;
  if (!suffix) {
    text_char(p->text, '(');
    print(p, it->left);
    text_char(p->text, ')');
  }
  if (size && *value == 'n') {
    text_char(p->text, '-');
    value++;
    size--;
  }
  bool is_float = code && strchr("defg", code);
  if (is_float)
    text_char(p->text, '[');
  text_put(p->text, value, size);
  if (is_float)
    text_char(p->text, ']');
  if (suffix)
    text_string(p->text, suffix);
}

// The address of a member function: without its parameters, unless qualifiers are behind them.
static bool is_member_function(const struct printer *p, const struct cpp_node *it) {
  return it->kind == CPP_FUNCTION && at(p, it->left)->kind == CPP_QUALIFIED && !at(p, it->right)->flags;
}

static void print_unary(struct printer *p, const struct cpp_node *it) {
  text_put(p->text, it->text, it->size);
  const struct cpp_node *operand = at(p, it->left);
  if (it->size == 1 && *it->text == '&' && is_member_function(p, operand))
    print(p, operand->left);
  else
    print_operand(p, it->left);
}

static void print_binary(struct printer *p, const struct cpp_node *it) {
  bool is_greater = it->size == 1 && *it->text == '>';  // which would end a list of arguments
  bool is_index = *it->text == '[';
  if (is_greater)
    text_char(p->text, '(');
  print_operand(p, it->left);
  text_put(p->text, it->text, it->size);
  if (is_index)
    print(p, it->right);
  else
    print_operand(p, it->right);
  if (is_index || is_greater)
    text_char(p->text, is_index ? ']' : ')');
}

static void print_parenthesized(struct printer *p, uint16_t node) {
  text_char(p->text, '(');
  print(p, node);
  text_char(p->text, ')');
}

static void print_expression(struct printer *p, const struct cpp_node *it) {
  switch (it->kind) {
    case CPP_LITERAL:
      print_literal(p, it);
      break;
    case CPP_FUNCTION_PARAMETER:
      text_string(p->text, it->size ? "{parm#" : "this");
      if (it->size) {
        text_number(p->text, it->size);
        text_char(p->text, '}');
      }
      break;
    case CPP_UNARY:
      print_unary(p, it);
      break;
    case CPP_POSTFIX:
      print_operand(p, it->left);
      text_put(p->text, it->text, it->size);
      break;
    case CPP_BINARY:
      print_binary(p, it);
      break;
    case CPP_CONDITIONAL:
      print_operand(p, it->left);
      text_char(p->text, '?');
      print_operand(p, element_of(p, it->right, 0));
      text_string(p->text, " : ");
      print_operand(p, element_of(p, it->right, 1));
      break;
    case CPP_CALL:
      print_operand(p, it->left);
      print_parenthesized(p, it->right);
      break;
    case CPP_CAST:
      print_parenthesized(p, it->left);
      print_operand(p, it->right);
      break;
    case CPP_NAMED_CAST:
      text_put(p->text, it->text, it->size);
      text_char(p->text, '<');
      print(p, it->left);
      text_char(p->text, '>');
      print_parenthesized(p, it->right);
      break;
    case CPP_OF:
      text_put(p->text, it->text, it->size);
      print_parenthesized(p, it->left);
      break;
    case CPP_COUNT_OF:
      text_number(p->text, count_elements(p, find_pack(p, it->left, 0)));
      break;
    default:  // CPP_INITIALIZER
      if (it->left)
        print(p, it->left);
      text_char(p->text, '{');
      print_list(p, it->right);
      text_char(p->text, '}');
  }
}

static void print_numbered(struct printer *p, const char *text, unsigned number, const char *end) {
  text_string(p->text, text);
  text_number(p->text, number);
  text_string(p->text, end);
}

static void print_lambda(struct printer *p, const struct cpp_node *it) {
  bool was_in_lambda = p->in_lambda;
  p->in_lambda = true;
  text_string(p->text, "{lambda");
  print_parenthesized(p, it->right);
  print_numbered(p, "#", it->size, "}");
  p->in_lambda = was_in_lambda;
}

// What has no right half.
static void print_name(struct printer *p, const struct cpp_node *it) {
  switch (it->kind) {
    case CPP_NAME:
    case CPP_BUILTIN:
      text_put(p->text, it->text, it->size);
      break;
    case CPP_LIST:
      print_list(p, (uint16_t)(it - p->tree->nodes));
      break;
    case CPP_PACK:
      print_list(p, it->left);
      break;
    case CPP_QUALIFIED:
    case CPP_LOCAL:
      print(p, it->left);
      text_string(p->text, "::");
      print(p, it->right);
      break;
    case CPP_TEMPLATE:
      print_template(p, it);
      break;
    case CPP_TAGGED:
      print(p, it->left);
      text_string(p->text, "[abi:");
      text_put(p->text, it->text, it->size);
      text_char(p->text, ']');
      break;
    case CPP_DESTRUCTOR:
      text_char(p->text, '~');
      print(p, it->left);
      break;
    case CPP_CONSTRUCTOR:
      print(p, it->left);
      break;
    case CPP_OPERATOR:
    case CPP_LITERAL_OPERATOR:
      text_string(p->text, it->kind == CPP_OPERATOR ? "operator" : "operator\"\" ");
      text_put(p->text, it->text, it->size);
      break;
    case CPP_CONVERSION:
      text_string(p->text, "operator ");
      print(p, it->left);
      break;
    case CPP_LAMBDA:
      print_lambda(p, it);
      break;
    case CPP_UNNAMED:
      print_numbered(p, "{unnamed type#", it->size, "}");
      break;
    case CPP_DEFAULT_ARGUMENT:
      print_numbered(p, "{default arg#", it->size, "}");
      break;
    case CPP_BINDING:
      text_char(p->text, '[');
      print_list(p, it->right);
      text_char(p->text, ']');
      break;
    case CPP_SPECIAL:
      text_put(p->text, it->text, it->size);
      print(p, it->left);
      break;
    case CPP_CONSTRUCTION_VTABLE:
      text_string(p->text, "construction vtable for ");
      print(p, it->left);
      text_string(p->text, "-in-");
      print(p, it->right);
      break;
    case CPP_REFERENCE_TEMPORARY:
      print_numbered(p, "reference temporary #", it->size, " for ");
      print(p, it->left);
      break;
    case CPP_FUNCTION:
      print_function(p, it);
      break;
    case CPP_DECLTYPE:
      text_string(p->text, "decltype ");
      print_parenthesized(p, it->left);
      break;
    case CPP_EXPANSION:
      print_expansion(p, it->left);
      break;
    case CPP_PARAMETER:  // of a generic lambda: others have been resolved
      print_numbered(p, "auto:", it->size + 1u, "");
      break;
    case CPP_SCOPE:
      p->has_failed = true;
      break;
    default:
      print_expression(p, it);
  }
}

static void print_half(struct printer *p, uint16_t node, bool is_left) {
  node = resolve(p, node);
  const struct cpp_node *it = at(p, node);
  enum cpp_kind kind;
  uint16_t inner;
  switch (it->kind) {
    case CPP_FUNCTION_TYPE:
      if (is_left) {
        print_left(p, it->left);
        if (!has_right(p, it->left))
          text_char(p->text, ' ');
        break;
      }
      print_parenthesized(p, it->right);
      print_flags(p, it->flags);
      print_right(p, it->left);
      break;
    case CPP_POINTER:
    case CPP_REFERENCE:
    case CPP_RVALUE_REFERENCE:
      inner = referenced(p, node, &kind);
      if (is_left) {
        print_left(p, inner);
        open_parenthesis(p, inner);
        text_string(p->text, kind == CPP_POINTER ? "*" : kind == CPP_REFERENCE ? "&" : "&&");
        break;
      }
      if (is_function_or_array(p, inner))
        text_char(p->text, ')');
      print_right(p, inner);
      break;
    case CPP_MEMBER_POINTER:
      if (is_left) {
        print_left(p, it->right);
        open_parenthesis(p, it->right);
        if (!is_function_or_array(p, it->right))
          text_char(p->text, ' ');
        print(p, it->left);
        text_string(p->text, "::*");
        break;
      }
      if (is_function_or_array(p, it->right))
        text_char(p->text, ')');
      print_right(p, it->right);
      break;
    case CPP_QUALIFIERS:
      if (is_left) {
        inner = resolve(p, it->left);
        print_left(p, it->left);
        print_flags(p, it->flags & ~(at(p, inner)->kind == CPP_QUALIFIERS ? at(p, inner)->flags : 0));
      } else {
        print_right(p, it->left);
      }
      break;
    case CPP_ARRAY:
      if (is_left) {
        print_left(p, it->left);
        break;
      }
      text_string(p->text, text_last(p->text) == ']' ? "[" : " [");
      if (it->right)
        print(p, it->right);
      text_put(p->text, it->text, it->size);
      text_char(p->text, ']');
      print_right(p, it->left);
      break;
    case CPP_VECTOR:
      if (!is_left)
        break;
      print(p, it->left);
      text_string(p->text, " __vector(");
      if (it->right)
        print(p, it->right);
      text_put(p->text, it->text, it->size);
      text_char(p->text, ')');
      break;
    case CPP_SUFFIXED:
      if (!is_left)
        break;
      print(p, it->left);
      text_char(p->text, ' ');
      text_put(p->text, it->text, it->size);
      break;
    default:
      if (is_left)
        print_name(p, it);
  }
}

static void print_checked(struct printer *p, uint16_t node, bool is_left) {
  if (p->has_failed || !node || p->text->is_full || ++p->steps > MAX_STEPS || p->depth == CPP_DEPTH) {
    p->has_failed = true;
    return;
  }
  p->depth++;
  print_half(p, node, is_left);
  p->depth--;
}

static void print_left(struct printer *p, uint16_t node) {
  print_checked(p, node, true);
}

static void print_right(struct printer *p, uint16_t node) {
  print_checked(p, node, false);
}

static void print(struct printer *p, uint16_t node) {
  print_left(p, node);
  print_right(p, node);
}

bool cpp_print(const struct cpp_tree *tree, uint16_t node, struct text *text) {
  struct printer printer = {.tree = tree, .text = text, .element = NO_ELEMENT};
  print(&printer, node);
  return !printer.has_failed && !text->is_full;
}
