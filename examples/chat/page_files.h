// The text of the page's files, which embed.py writes into page_files.cpp at build time.
#pragma once

#include <string_view>

namespace chat {

extern const std::string_view page_html;
extern const std::string_view page_css;
extern const std::string_view page_js;
extern const std::string_view connection_js;

}  // namespace chat
