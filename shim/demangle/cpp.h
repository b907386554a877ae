// C++: names as trees. Parsing makes a tree, because what a name is made of may come again in it, and is then only referred to.
#ifndef SHIM_DEMANGLE_CPP_H
#define SHIM_DEMANGLE_CPP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/demangle/text.h"

enum cpp_kind {
  // Names. A list has its first element in `left` and the others in `right`; the empty list has neither.
  CPP_LIST,
  CPP_NAME,                 // text
  CPP_QUALIFIED,            // left::right
  CPP_TEMPLATE,             // left<right>, of which right is a list
  CPP_TAGGED,               // left[abi:text]
  CPP_CONSTRUCTOR,          // of the class left
  CPP_DESTRUCTOR,
  CPP_OPERATOR,             // operator and text
  CPP_LITERAL_OPERATOR,     // operator"" and text
  CPP_CONVERSION,           // operator and the type left
  CPP_LAMBDA,               // of the parameters right, number size
  CPP_UNNAMED,              // number size
  CPP_BINDING,              // of the names right
  CPP_LOCAL,                // right, in the function left
  CPP_DEFAULT_ARGUMENT,     // number size
  CPP_SPECIAL,              // text, then left
  CPP_CONSTRUCTION_VTABLE,  // of left in right
  CPP_REFERENCE_TEMPORARY,  // number size, of left
  CPP_FUNCTION,             // the name left, of the type right; size is its scope
  // Types.
  CPP_BUILTIN,              // text; `flags` is its code
  CPP_FUNCTION_TYPE,        // returns left (may be none), takes right; flags: CPP_CONST and so on
  CPP_POINTER,
  CPP_REFERENCE,
  CPP_RVALUE_REFERENCE,
  CPP_QUALIFIERS,           // left with flags
  CPP_ARRAY,                // of left, right (may be none) or text elements
  CPP_VECTOR,
  CPP_MEMBER_POINTER,       // to a right of the class left
  CPP_SUFFIXED,             // left, then text
  CPP_DECLTYPE,             // of the expression left
  CPP_EXPANSION,            // of the pattern left, for each element of a pack
  CPP_PACK,                 // a template argument that is the list left
  CPP_PARAMETER,            // template parameter number size: right if that is known yet, else of the scope left
  CPP_SCOPE,                // of a function: its template arguments are the list right
  // Expressions.
  CPP_LITERAL,              // text, of the type left
  CPP_FUNCTION_PARAMETER,   // number size, 0 for `this`
  CPP_UNARY,                // the operator text, left
  CPP_POSTFIX,              // left, the operator text
  CPP_BINARY,               // left, the operator text, right
  CPP_CONDITIONAL,          // left, list right of two
  CPP_CALL,                 // left(list right)
  CPP_CAST,                 // (left)right, or of the list right
  CPP_NAMED_CAST,           // text<left>(right)
  CPP_OF,                   // text (left): sizeof and the like
  CPP_COUNT_OF,             // sizeof...(left)
  CPP_INITIALIZER,          // left{list right}; left may be none
};

// Of functions and qualified types.
enum { CPP_CONST = 1, CPP_VOLATILE = 2, CPP_RESTRICT = 4, CPP_LVALUE_THIS = 8, CPP_RVALUE_THIS = 16, CPP_NOEXCEPT = 32 };

struct cpp_node {
  uint8_t kind;
  uint8_t flags;
  uint16_t size;  // of `text`, or a number
  uint16_t left;  // indices of nodes, 0 for none
  uint16_t right;
  const char *text;
};

enum { CPP_NODES = 1 << 12, CPP_SUBSTITUTIONS = 1 << 10, CPP_DEPTH = 160 };

struct cpp_tree {
  const char *at;  // what is still to be read
  const char *end;
  uint16_t nodes_count;
  uint16_t substitutions_count;
  uint16_t scope;      // of the function that is being read
  uint16_t depth;
  bool in_conversion;  // reading the type of a conversion operator: template arguments behind it are its own
  struct cpp_node nodes[CPP_NODES];
  uint16_t substitutions[CPP_SUBSTITUTIONS];
};

// Demangles what follows "_Z". Returns false for what is not understood.
bool cpp_demangle(const char *name, size_t size, struct text *text);

// Writes what a node stands for. Returns false if that is too large.
bool cpp_print(const struct cpp_tree *tree, uint16_t node, struct text *text);

// The parser. Functions return a node, 0 if the text is not what they read.
uint16_t cpp_encoding(struct cpp_tree *tree, bool is_local);
// `flags` gets the qualifiers of a member function; with it the template arguments are those of the function that is being read.
uint16_t cpp_name(struct cpp_tree *tree, uint8_t *flags);
uint16_t cpp_unqualified_name(struct cpp_tree *tree, uint16_t class_name);
uint16_t cpp_source_name(struct cpp_tree *tree);
uint16_t cpp_substitution(struct cpp_tree *tree);
uint16_t cpp_template_arguments(struct cpp_tree *tree);
uint16_t cpp_template_parameter(struct cpp_tree *tree);
uint16_t cpp_type(struct cpp_tree *tree);
uint16_t cpp_decltype(struct cpp_tree *tree);
uint16_t cpp_expression(struct cpp_tree *tree);
uint16_t cpp_literal(struct cpp_tree *tree);
// Types up to the end of the name or its part; the type void alone is an empty list.
uint16_t cpp_parameters(struct cpp_tree *tree);

struct cpp_operator {
  char code[3];
  uint8_t operands;
  char text[16];
};

// The operator at the parser's place, NULL if there is none.
const struct cpp_operator *cpp_operator_at(const struct cpp_tree *tree);

uint16_t cpp_add(struct cpp_tree *tree, enum cpp_kind kind, uint16_t left, uint16_t right);
uint16_t cpp_add_text(struct cpp_tree *tree, enum cpp_kind kind, const char *text, size_t size);
// Appends to a list; `last` is where it ends, 0 at first. Returns whether there was memory.
bool cpp_append(struct cpp_tree *tree, uint16_t list, uint16_t *last, uint16_t element);
bool cpp_remember(struct cpp_tree *tree, uint16_t node);
// Takes the text if it comes next.
bool cpp_take(struct cpp_tree *tree, const char *text);
char cpp_peek(const struct cpp_tree *tree, size_t offset);
// A decimal number; false if there is none.
bool cpp_number(struct cpp_tree *tree, uint16_t *number);
// "_" is 0, "N_" is N + 1.
bool cpp_index(struct cpp_tree *tree, uint16_t *index);

#endif
