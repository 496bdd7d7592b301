"""C++ source as text: without comments and literals, and taken apart into functions.

A heuristic for clang-formatted code, not a parser; sizes.py plants examples of both kinds.
"""

import re

_TOKEN = re.compile(
    r"""//[^\n]*                                    # comment to the end of the line
      | /\*.*?\*/                                   # comment
      | R"([^()\s\\]{0,16})\(.*?\)\1"               # raw string
      | "(?:[^"\\\n]|\\.)*"                         # string
      | (?<![0-9A-Za-z_])'(?:[^'\\\n]|\\.)+'        # character; not the separator in 8'000
    """,
    re.VERBOSE | re.DOTALL,
)


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    """The same text with comments and literals blanked out; lines and columns stay."""
    return _TOKEN.sub(_blank, text)


def _without_preprocessor(text):
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", _blank, text, flags=re.MULTILINE)


_NO_FUNCTION = re.compile(
    r"^(?:(?:inline\s+)?namespace|extern\s*$|(?:template\s*<.*>\s*)?(?:requires\s.*)?(?:class|struct|union|enum)\b"
    r"|(?:else\s+)?(?:if|for|while|switch|catch)\b|do\b|else\b|try\b|case\b|default\b|return\b)",
    re.DOTALL,
)
_LAMBDA = re.compile(r"\[[^\[\]]*\]\s*(?:<[^<>]*>\s*)?(?:\([^{}]*\))?[^;{}()]*$")
_LABEL = re.compile(r"^(?:\s*(?:public|private|protected)\s*:)+")


def _is_function_head(head):
    head = _LABEL.sub("", head).strip()
    if "(" not in head or _NO_FUNCTION.match(head) or _LAMBDA.search(head):
        return False
    return not re.search(r"(?<![=!<>])=\s*[^=()]*$", head)  # an initializer


def functions(text):
    """The functions that a source defines: [(line of its head, number of lines, its head)]."""
    code = _without_preprocessor(without_comments(text))
    found = []
    open_braces = []  # (head or None, first line)
    head_start = 0
    parentheses = 0
    for position, char in enumerate(code):
        if char in "(":
            parentheses += 1
        elif char == ")":
            parentheses -= 1
        elif char == ";" and parentheses == 0:
            head_start = position + 1
        elif char == "{":
            head = code[head_start:position]
            if parentheses == 0 and _is_function_head(head):
                first = head_start + len(head) - len(_LABEL.sub("", head).lstrip())
                open_braces.append((" ".join(head.split()), code.count("\n", 0, first) + 1, parentheses))
            else:
                open_braces.append((None, 0, parentheses))
            head_start = position + 1
            parentheses = 0
        elif char == "}" and open_braces:
            head, first_line, parentheses = open_braces.pop()
            if head is not None:
                found.append((first_line, code.count("\n", 0, position) + 2 - first_line, head))
            head_start = position + 1
    return sorted(found)
