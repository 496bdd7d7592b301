// The payloads of cases 6.5 to 6.23, in hexadecimal digits.
#pragma once

#include <string_view>

namespace conform {

struct Utf8Row {
  int subgroup;
  int number;
  bool valid;
  std::string_view octets;
};

// What a subgroup has in common.
constexpr std::string_view utf8_subject(int subgroup) {
  switch (subgroup) {
    case 5: return "valid text";
    case 6: return "a prefix of a Greek word";
    case 7: return "the first code point of each length";
    case 8: return "the first sequence of 5 and 6 octets";
    case 9: return "the last code point of each length";
    case 10: return "beyond the last code point";
    case 11: return "a neighbour of a limit";
    case 12: return "lone continuation octets";
    case 13: return "lone start octets, a space after each";
    case 14: return "the last continuation octet is missing";
    case 15: return "ten sequences without their last octet";
    case 16: return "octets that never occur";
    case 17: return "an overlong slash";
    case 18: return "the largest overlong form of a length";
    case 19: return "an overlong NUL";
    case 20: return "a single surrogate";
    case 21: return "a surrogate pair";
    case 22: return "a non-character";
    case 23: return "a special of the end of the Basic Multilingual Plane";
    default: return "";
  }
}

// clang-format off
inline constexpr Utf8Row utf8_rows[] = {
    {5, 1, true, "68656C6C6F24776F726C64"},
    {5, 2, true, "68656C6C6FC2A2776F726C64"},
    {5, 3, true, "68656C6C6FE282AC776F726C64"},
    {5, 4, true, "68656C6C6FF0A4ADA2776F726C64"},
    {5, 5, true, "CEBAE1BDB9CF83CEBCCEB5"},
    {6, 1, false, "CE"},
    {6, 2, true, "CEBA"},
    {6, 3, false, "CEBAE1"},
    {6, 4, false, "CEBAE1BD"},
    {6, 5, true, "CEBAE1BDB9"},
    {6, 6, false, "CEBAE1BDB9CF"},
    {6, 7, true, "CEBAE1BDB9CF83"},
    {6, 8, false, "CEBAE1BDB9CF83CE"},
    {6, 9, true, "CEBAE1BDB9CF83CEBC"},
    {6, 10, false, "CEBAE1BDB9CF83CEBCCE"},
    {6, 11, true, "CEBAE1BDB9CF83CEBCCEB5"},
    {7, 1, true, "00"},
    {7, 2, true, "C280"},
    {7, 3, true, "E0A080"},
    {7, 4, true, "F0908080"},
    {8, 1, false, "F888808080"},
    {8, 2, false, "FC8480808080"},
    {9, 1, true, "7F"},
    {9, 2, true, "DFBF"},
    {9, 3, true, "EFBFBF"},
    {9, 4, true, "F48FBFBF"},
    {10, 1, false, "F7BFBFBF"},
    {10, 2, false, "FBBFBFBFBF"},
    {10, 3, false, "FDBFBFBFBFBF"},
    {11, 1, true, "ED9FBF"},
    {11, 2, true, "EE8080"},
    {11, 3, true, "EFBFBD"},
    {11, 4, true, "F48FBFBF"},
    {11, 5, false, "F4908080"},
    {12, 1, false, "80"},
    {12, 2, false, "BF"},
    {12, 3, false, "80BF"},
    {12, 4, false, "80BF80"},
    {12, 5, false, "80BF80BF"},
    {12, 6, false, "80BF80BF80"},
    {12, 7, false, "80BF80BF80BF"},
    {12, 8, false, "808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBE"},
    {13, 1, false, "C020C120C220C320C420C520C620C720C820C920CA20CB20CC20CD20CE20CF20D020D120D220D320D420D520D620D720D820D920DA20DB20DC20DD20DE20"},
    {13, 2, false, "E020E120E220E320E420E520E620E720E820E920EA20EB20EC20ED20EE20"},
    {13, 3, false, "F020F120F220F320F420F520F620"},
    {13, 4, false, "F820F920FA20"},
    {13, 5, false, "FC20"},
    {14, 1, false, "C0"},
    {14, 2, false, "E080"},
    {14, 3, false, "F08080"},
    {14, 4, false, "F8808080"},
    {14, 5, false, "FC80808080"},
    {14, 6, false, "DF"},
    {14, 7, false, "EFBF"},
    {14, 8, false, "F7BFBF"},
    {14, 9, false, "FBBFBFBF"},
    {14, 10, false, "FDBFBFBFBF"},
    {15, 1, false, "C0E080F08080F8808080FC80808080DFEFBFF7BFBFFBBFBFBFFDBFBFBFBF"},
    {16, 1, false, "FE"},
    {16, 2, false, "FF"},
    {16, 3, false, "FEFEFFFF"},
    {17, 1, false, "C0AF"},
    {17, 2, false, "E080AF"},
    {17, 3, false, "F08080AF"},
    {17, 4, false, "F8808080AF"},
    {17, 5, false, "FC80808080AF"},
    {18, 1, false, "C1BF"},
    {18, 2, false, "E09FBF"},
    {18, 3, false, "F08FBFBF"},
    {18, 4, false, "F887BFBFBF"},
    {18, 5, false, "FC83BFBFBFBF"},
    {19, 1, false, "C080"},
    {19, 2, false, "E08080"},
    {19, 3, false, "F0808080"},
    {19, 4, false, "F880808080"},
    {19, 5, false, "FC8080808080"},
    {20, 1, false, "EDA080"},
    {20, 2, false, "EDADBF"},
    {20, 3, false, "EDAE80"},
    {20, 4, false, "EDAFBF"},
    {20, 5, false, "EDB080"},
    {20, 6, false, "EDBE80"},
    {20, 7, false, "EDBFBF"},
    {21, 1, false, "EDA080EDB080"},
    {21, 2, false, "EDA080EDBFBF"},
    {21, 3, false, "EDADBFEDB080"},
    {21, 4, false, "EDADBFEDBFBF"},
    {21, 5, false, "EDAE80EDB080"},
    {21, 6, false, "EDAE80EDBFBF"},
    {21, 7, false, "EDAFBFEDB080"},
    {21, 8, false, "EDAFBFEDBFBF"},
    {22, 1, true, "EFBFBE"},
    {22, 2, true, "EFBFBF"},
    {22, 3, true, "F09FBFBE"},
    {22, 4, true, "F09FBFBF"},
    {22, 5, true, "F0AFBFBE"},
    {22, 6, true, "F0AFBFBF"},
    {22, 7, true, "F0BFBFBE"},
    {22, 8, true, "F0BFBFBF"},
    {22, 9, true, "F18FBFBE"},
    {22, 10, true, "F18FBFBF"},
    {22, 11, true, "F19FBFBE"},
    {22, 12, true, "F19FBFBF"},
    {22, 13, true, "F1AFBFBE"},
    {22, 14, true, "F1AFBFBF"},
    {22, 15, true, "F1BFBFBE"},
    {22, 16, true, "F1BFBFBF"},
    {22, 17, true, "F28FBFBE"},
    {22, 18, true, "F28FBFBF"},
    {22, 19, true, "F29FBFBE"},
    {22, 20, true, "F29FBFBF"},
    {22, 21, true, "F2AFBFBE"},
    {22, 22, true, "F2AFBFBF"},
    {22, 23, true, "F2BFBFBE"},
    {22, 24, true, "F2BFBFBF"},
    {22, 25, true, "F38FBFBE"},
    {22, 26, true, "F38FBFBF"},
    {22, 27, true, "F39FBFBE"},
    {22, 28, true, "F39FBFBF"},
    {22, 29, true, "F3AFBFBE"},
    {22, 30, true, "F3AFBFBF"},
    {22, 31, true, "F3BFBFBE"},
    {22, 32, true, "F3BFBFBF"},
    {22, 33, true, "F48FBFBE"},
    {22, 34, true, "F48FBFBF"},
    {23, 1, true, "EFBFB9"},
    {23, 2, true, "EFBFBA"},
    {23, 3, true, "EFBFBB"},
    {23, 4, true, "EFBFBC"},
    {23, 5, true, "EFBFBD"},
    {23, 6, true, "EFBFBE"},
    {23, 7, true, "EFBFBF"},
};
// clang-format on

}  // namespace conform
