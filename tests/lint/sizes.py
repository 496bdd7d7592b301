"""Files and functions stay small enough to be read at once."""

import ast

import cpp_text
from tree import CODE_SUFFIXES, CPP_SUFFIXES, Check

FILE_LINES_MAX = 599
FUNCTION_LINES_MAX = 69


def find_long_files(tree, _tools):
    problems = []
    for path in tree.files:
        if path.suffix in CODE_SUFFIXES or path.name in ("dev", "run", "meson.build"):
            lines = tree.text(path).count("\n")
            if lines > FILE_LINES_MAX:
                problems.append(f"{path}: {lines} lines; at most {FILE_LINES_MAX}")
    return problems


def python_functions(text):
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [(node.lineno, node.end_lineno - node.lineno + 1, node.name) for node in nodes]


def find_long_functions(tree, _tools):
    problems = []
    for path in tree.files:
        if path.suffix in CPP_SUFFIXES:
            functions = cpp_text.functions(tree.text(path))
        elif path.suffix == ".py":
            functions = python_functions(tree.text(path))
        else:
            continue
        problems += [
            f"{path}:{line}: {length} lines; at most {FUNCTION_LINES_MAX}: {head[:80]}"
            for line, length, head in functions if length > FUNCTION_LINES_MAX
        ]
    return problems


def _body(lines):
    return "  work();\n" * lines


# Each of these has `lines` lines from its head to its closing brace, if `lines` is at least 8.
_FUNCTIONS = {
    "a free function": lambda n: f"int f(int a, char b) {{\n{_body(n - 2)}}}\n",
    "a method in a class": lambda n: f"class C final : B {{\n public:\n  int f() const noexcept {{\n{_body(n - 2)}  }}\n}};\n",
    "a constructor with initializers":
        lambda n: f"C::C(int a)\n    : a_(a),\n      b_(2) {{\n{_body(n - 4)}}}\n",
    "a template with a trailing return type":
        lambda n: f"template <class T>\nauto f(T t) -> decltype(t) {{\n{_body(n - 3)}}}\n",
    "a test": lambda n: f'TEST(Frame, "{{ }} in a string") {{\n{_body(n - 2)}}}\n',
    "an operator": lambda n: f"bool operator==(const A& a, const A& b) {{\n{_body(n - 2)}}}\n",
    "a function with loops and a lambda":
        lambda n: "void f() {\n  for (int i = 0; i < 8'000; ++i) {\n    if (i) {\n    } else {\n    }\n  }\n"
                  f"  run([&](int a) {{ use(a, '{{'); }});\n{_body(n - 8)}}}\n",
    "a function behind a macro of several lines":
        lambda n: f"#define M(x) \\\n  {{ x (\nint f() {{  // {{\n  /* {{ */\n{_body(n - 3)}}}\n",
}

CHECKS = [
    Check(
        "files are under 600 lines", find_long_files,
        bad={"a long source": {"engine/src/a.cpp": "int a;\n" * 600},
             "a long script": {"tests/a.py": "a = 1\n" * 700}},
        good={"a file at the limit": {"engine/src/a.cpp": "int a;\n" * 599},
              "a long text": {"README.md": "a\n" * 900}}),
    Check(
        "functions are under 70 lines", find_long_functions,
        bad={f"{kind} of 70 lines": {"a.cpp": make(70)} for kind, make in _FUNCTIONS.items()}
        | {"a long Python function": {"a.py": "def f():\n" + "    a = 1\n" * 69}},
        good={f"{kind} of 69 lines": {"a.cpp": make(69)} for kind, make in _FUNCTIONS.items()}
        | {"a long namespace, class, enum and table": {
            "a.h": "namespace a {\n" + "int x;\n" * 80 + "struct S {\n" + "  int f();\n" * 80 + "};\n"
                   "enum class E : int {\n" + "  a,\n" * 80 + "};\n"
                   "const int table[] = {\n" + "  f(1),\n" * 80 + "};\n}\n"}}),
]
