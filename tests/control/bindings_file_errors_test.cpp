// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "control/bindings_file.hpp"

namespace {

using control::FileError;
using control::parse_bindings;

// All errors as lines, "FILE" for the name.
std::string errors_of(std::string_view text) {
  const auto parsed = parse_bindings(text, {});
  if (parsed) return "";
  std::string lines;
  for (const FileError& error : parsed.error()) lines += to_string(error, "FILE") + '\n';
  return lines;
}

struct Case {
  const char* description;
  std::string_view text;
  const char* errors;
};

void expect_errors(const std::vector<Case>& cases) {
  for (const Case& test : cases) {
    SCOPED_TRACE(test.description);
    EXPECT_EQ(errors_of(test.text), test.errors);
  }
}

using namespace std::string_view_literals;

TEST(BindingsFile, SyntaxErrorsHaveAPlace) {
  expect_errors({
      {"empty", "", "FILE:1:1: empty; the least is {\"prefixes\": []}\n"},
      {"blank", " \r\n\t", "FILE:1:1: empty; the least is {\"prefixes\": []}\n"},
      {"not JSON", "prefixes: []",
       "FILE:1:1: syntax error while parsing value - invalid literal\n"},
      {"cut in a literal", "{\"prefixes\":[tru",
       "FILE:1:14: /prefixes: syntax error while parsing value - invalid literal\n"},
      {"cut in a string", "{\"prefixes\":[\"abc",
       "FILE:1:14: /prefixes: syntax error while parsing value - invalid string: missing closing "
       "quote\n"},
      {"cut behind a comma", "{\"prefixes\":\n [\n ",
       "FILE:3:2: /prefixes: syntax error while parsing value - unexpected end of input; expected "
       "'[', "
       "'{', or a literal\n"},
      {"two colons", "{\"prefixes\"::[]}",
       "FILE:1:13: /prefixes: syntax error while parsing value - unexpected ':'; expected '[', "
       "'{', or a "
       "literal\n"},
      {"a missing comma", "{\"prefixes\": []\n \"x\": 1}",
       "FILE:2:2: /prefixes: syntax error while parsing object - unexpected string literal; "
       "expected '}'\n"},
      {"a comma too many", "{\"prefixes\": [],}",
       "FILE:1:17: /prefixes: syntax error while parsing object key - unexpected '}'; expected "
       "string "
       "literal\n"},
      {"text behind the end", "{\"prefixes\": []}\n{}",
       "FILE:2:1: more text behind the end of the document\n"},
      {"garbage behind the end", "{\"prefixes\": []} x",
       "FILE:1:18: more text behind the end of the document\n"},
      {"a NUL at the end", "{\"prefixes\": []}\0"sv,
       "FILE:1:17: a NUL byte; the file must be text\n"},
      {"a NUL between", "{\"prefixes\":\0[]}"sv,
       "FILE:1:13: /prefixes: a NUL byte; the file must be text\n"},
      {"a NUL in a string", "{\"prefixes\":[\"a\0b\"]}"sv,
       "FILE:1:16: /prefixes: a NUL byte; the file must be text\n"},
      {"a NUL behind an error", "{\"prefixes\":]\0"sv,
       "FILE:1:13: /prefixes: syntax error while parsing value - unexpected ']'; expected '[', "
       "'{', or a "
       "literal\n"},
      {"a line feed in a string", "{\"prefixes\":[\"a\nb\"]}",
       "FILE:1:16: /prefixes: syntax error while parsing value - invalid string: control character "
       "U+000A "
       "(LF) must be escaped to \\u000A or \\n\n"},
      {"invalid UTF-8", "{\"prefixes\":[\"a\xff\"]}",
       "FILE:1:16: /prefixes: syntax error while parsing value - invalid string: ill-formed UTF-8 "
       "byte\n"},
      {"overlong UTF-8", "{\"prefixes\":[\"\xc0\x80\"]}",
       "FILE:1:15: /prefixes: syntax error while parsing value - invalid string: ill-formed UTF-8 "
       "byte\n"},
      {"a lone high surrogate", R"({"prefixes":["\ud800"]})",
       "FILE:1:14: /prefixes: syntax error while parsing value - invalid string: surrogate "
       "U+D800..U+DBFF "
       "must be followed by U+DC00..U+DFFF\n"},
      {"a lone low surrogate", R"({"prefixes":["\udc00"]})",
       "FILE:1:20: /prefixes: syntax error while parsing value - invalid string: surrogate "
       "U+DC00..U+DFFF "
       "must follow U+D800..U+DBFF\n"},
      {"a leading zero", "{\"prefixes\": 01}",
       "FILE:1:14: /prefixes: \"prefixes\" must be an array, not a number\n"
       "FILE:1:15: /prefixes: syntax error while parsing object - unexpected number literal; "
       "expected "
       "'}'\n"},
      {"a number without end", "{\"prefixes\": 1e999}",
       "FILE:1:14: /prefixes: a number is too large\n"},
      {"a byte order mark is no column", "\xef\xbb\xbf]",
       "FILE:1:1: syntax error while parsing value - unexpected ']'; expected '[', '{', or a "
       "literal\n"},
  });
}

TEST(BindingsFile, NestingHasALimit) {
  const std::string deep = "{\"x\":" + std::string(40, '[');
  const std::string errors = errors_of(deep);
  EXPECT_NE(errors.find("FILE:1:37: /x/0/0/"), std::string::npos) << errors;
  EXPECT_NE(errors.find("nested deeper than 32 levels"), std::string::npos);
  const std::string allowed = "{\"x\":" + std::string(31, '[') + std::string(31, ']') + "}";
  EXPECT_EQ(errors_of(allowed).find("nested"), std::string::npos);
}

TEST(BindingsFile, StructuralErrorsHaveAPlace) {
  expect_errors({
      {"not an object", "[]", "FILE:1:1: the file must be an object, not an array\n"},
      {"no prefixes", " {}", "FILE:1:2: the file lacks the key \"prefixes\"\n"},
      {"prefixes of a wrong type", R"({"prefixes": {"cidr": 1}})",
       "FILE:1:14: /prefixes: \"prefixes\" must be an array, not an object\n"},
      {"elements of wrong types", R"({"prefixes": [1, [{}], "x", true, null]})",
       "FILE:1:15: /prefixes/0: a prefix must be an object, not a number\n"
       "FILE:1:18: /prefixes/1: a prefix must be an object, not an array\n"
       "FILE:1:24: /prefixes/2: a prefix must be an object, not a string\n"
       "FILE:1:29: /prefixes/3: a prefix must be an object, not a boolean\n"
       "FILE:1:35: /prefixes/4: a prefix must be an object, not null\n"},
      {"members of wrong types", R"({"prefixes": [{"cidr": 1, "service": [], "bindings": "x"}]})",
       "FILE:1:24: /prefixes/0/cidr: \"cidr\" must be a string, not a number\n"
       "FILE:1:38: /prefixes/0/service: \"service\" must be a string or null, not an array\n"
       "FILE:1:54: /prefixes/0/bindings: \"bindings\" must be an array, not a string\n"},
      {"missing keys", R"({"prefixes": [{}, {"cidr": "203.0.113.0/24", "bindings": [ {}]}]})",
       "FILE:1:15: /prefixes/0: a prefix lacks the key \"cidr\"\n"
       "FILE:1:60: /prefixes/1/bindings/0: a binding lacks the key \"cidr\"\n"
       "FILE:1:60: /prefixes/1/bindings/0: a binding lacks the key \"service\"\n"},
      {"unknown keys",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\", \"Service\": {\"cidr\": 1}}],\n"
       " \"a/b~\": []}",
       "FILE:1:42: /prefixes/0/Service: unknown key \"Service\"; a prefix can have \"cidr\", "
       "\"service\", \"bindings\", \"account\", \"asn\", \"description\", \"loa_document_id\"\n"
       "FILE:2:2: /a~1b~0: unknown key \"a/b~\"; the file can have \"prefixes\", "
       "\"generation\"\n"},
      {"duplicate keys",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\",\n\"cidr\": 1}],\n\"prefixes\": 2}",
       "FILE:2:1: /prefixes/0/cidr: duplicate key \"cidr\"\n"
       "FILE:3:1: /prefixes: duplicate key \"prefixes\"\n"},
      {"a duplicate key in another spelling", R"({"prefixes": [], "pref\u0069xes": []})",
       "FILE:1:18: /prefixes: duplicate key \"prefixes\"\n"},
      {"values that are none",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.1/24\", \"service\": \"waf\",\n"
       "\"bindings\": [{\"cidr\": \"nowhere\", \"service\": \"\"}]}]}",
       "FILE:1:24: /prefixes/0/cidr: \"203.0.113.1/24\" has host bits set; the block is "
       "203.0.113.0/24\n"
       "FILE:1:53: /prefixes/0/service: \"waf\" is not a service; magic_transit, cdn and spectrum "
       "are\n"
       "FILE:2:23: /prefixes/0/bindings/0/cidr: \"nowhere\" is not a CIDR block; write "
       "ADDRESS/LENGTH, as "
       "in 203.0.113.0/24 or 2001:db8::/48\n"
       "FILE:2:45: /prefixes/0/bindings/0/service: \"\" is not a service; magic_transit, cdn and "
       "spectrum "
       "are\n"},
  });
}

TEST(BindingsFile, WhatAnExportHasBesidesIsChecked) {
  const std::string long_description =
      R"({"prefixes": [{"cidr": "203.0.113.0/24", "description": ")" + std::string(1001, 'x') +
      R"("}]})";
  expect_errors({
      {"wrong types",
       "{\"generation\": \"7\", \"prefixes\": [{\"cidr\": \"203.0.113.0/24\",\n"
       "\"account\": null,\n\"asn\": \"64500\",\n\"description\": [],\n"
       "\"loa_document_id\": 1}]}",
       "FILE:1:16: /generation: \"generation\" must be a whole number from 0 to "
       "18446744073709551615, not a string\n"
       "FILE:2:12: /prefixes/0/account: \"account\" must be a string, not null\n"
       "FILE:3:8: /prefixes/0/asn: \"asn\" must be a whole number from 0 to 4294967295 or null, "
       "not a string\n"
       "FILE:4:16: /prefixes/0/description: \"description\" must be a string or null, not an "
       "array\n"
       "FILE:5:20: /prefixes/0/loa_document_id: \"loa_document_id\" must be a string or null, not "
       "a number\n"},
      {"numbers out of range",
       "{\"generation\": -1, \"prefixes\": [{\"cidr\": \"203.0.113.0/24\", \"asn\": 4294967296},\n"
       "{\"cidr\": \"198.51.100.0/24\", \"asn\": 1.5}]}",
       "FILE:1:16: /generation: \"generation\" must be a whole number from 0 to "
       "18446744073709551615\n"
       "FILE:1:67: /prefixes/0/asn: \"asn\" must be a whole number from 0 to 4294967295 or null\n"
       "FILE:2:36: /prefixes/1/asn: \"asn\" must be a whole number from 0 to 4294967295 or null\n"},
      {"an account that is none", R"({"prefixes": [{"cidr": "203.0.113.0/24", "account": "a b"}]})",
       "FILE:1:53: /prefixes/0/account: account must be letters, digits and -, 1 to 36 of them, "
       "not "
       "\"a b\"\n"},
      {"a long description", long_description,
       "FILE:1:57: /prefixes/0/description: description has 1001 characters; at most 1000 are "
       "possible\n"},
      {"a number twice", R"({"generation": 1, "prefixes": [], "generation": 1})",
       "FILE:1:35: /generation: duplicate key \"generation\"\n"},
  });
}

TEST(BindingsFile, RulesPointAtTheEntryThatBreaksThem) {
  expect_errors({
      {"1: no default",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\", \"bindings\": [\n"
       "{\"cidr\": \"203.0.113.1/32\", \"service\": \"cdn\"},\n"
       "{\"cidr\": \"203.0.113.2/32\", \"service\": \"cdn\"}]}]}",
       "FILE:2:10: /prefixes/0/bindings/0/cidr: 203.0.113.1/32 cannot be bound while its prefix "
       "203.0.113.0/24 has no default binding; bind 203.0.113.0/24 itself as well\n"},
      {"2: the more specific binding is to blame, wherever it stands",
       "{\"prefixes\": [{\"bindings\": [\n"
       "{\"cidr\": \"203.0.113.1/32\", \"service\": \"cdn\"},\n"
       "{\"cidr\": \"203.0.113.2/32\", \"service\": \"magic_transit\"}],\n"
       "\"service\": \"cdn\", \"cidr\": \"203.0.113.0/24\"}]}",
       "FILE:2:39: /prefixes/0/bindings/0/service: 203.0.113.1/32: cdn is already the service of "
       "203.0.113.0/24, its nearest covering binding; spectrum can be bound here\n"
       "FILE:3:39: /prefixes/0/bindings/1/service: 203.0.113.2/32: magic_transit cannot be bound "
       "below a "
       "default; spectrum can\n"},
      {"3: a second binding on one CIDR",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\", \"service\": \"magic_transit\", "
       "\"bindings\": [\n"
       "{\"cidr\": \"203.0.113.1/32\", \"service\": \"cdn\"},\n"
       "{\"cidr\": \"203.0.113.1/32\", \"service\": \"spectrum\"}]}]}",
       "FILE:3:10: /prefixes/0/bindings/1/cidr: binding already exists for CIDR 203.0.113.1/32 "
       "(cdn); one "
       "CIDR carries one binding\n"},
      {"3: a default twice",
       "{\"prefixes\": [{\"bindings\": [\n{\"cidr\": \"203.0.113.0/24\", \"service\": \"cdn\"}],\n"
       "\"cidr\": \"203.0.113.0/24\", \"service\": \"cdn\"}]}",
       "FILE:2:10: /prefixes/0/bindings/0/cidr: binding already exists for CIDR 203.0.113.0/24 "
       "(cdn); one "
       "CIDR carries one binding\n"},
      {"4: outside its prefix",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\", \"service\": \"cdn\",\n"
       "\"bindings\": [{\"cidr\": \"203.0.114.1/32\", \"service\": \"spectrum\"}]}]}",
       "FILE:2:23: /prefixes/0/bindings/0/cidr: 203.0.114.1/32 lies outside its prefix "
       "203.0.113.0/24\n"},
      {"4: overlap, the later is to blame",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\"},\n{\"cidr\": \"203.0.112.0/22\"}]}",
       "FILE:2:10: /prefixes/1/cidr: 203.0.112.0/22 overlaps the prefix 203.0.113.0/24; onboarded "
       "prefixes "
       "must not overlap\n"},
      {"4: a prefix twice",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\"},\n{\"cidr\": \"203.0.113.0/24\"}]}",
       "FILE:2:10: /prefixes/1/cidr: prefix already exists: 203.0.113.0/24\n"},
      {"5: a prefix that cannot be onboarded", "{\"prefixes\": [{\"cidr\": \"224.0.1.0/24\"}]}",
       "FILE:1:24: /prefixes/0/cidr: 224.0.1.0/24 cannot be onboarded: it lies in 224.0.0.0/4, "
       "which is "
       "multicast\n"},
      {"5: a prefix that is too long", "{\"prefixes\": [{\"cidr\": \"203.0.113.0/25\"}]}",
       "FILE:1:24: /prefixes/0/cidr: 203.0.113.0/25 is longer than /24, the longest IPv4 prefix "
       "that can be "
       "onboarded\n"},
  });
}

TEST(BindingsFile, ErrorsBeforeASyntaxErrorAreReportedToo) {
  EXPECT_EQ(errors_of("{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\", \"x\": 1, \"bindings\": [\n"
                      "{\"cidr\": \"203.0.113.1/32\", \"service\": \"cdn\"},\n"
                      "{\"cidr\": \"203.0.113.1/32\", \"service\": \"cdn\"},\n"
                      "}"),
            "FILE:1:42: /prefixes/0/x: unknown key \"x\"; a prefix can have \"cidr\", \"service\", "
            "\"bindings\", \"account\", \"asn\", \"description\", \"loa_document_id\"\n"
            "FILE:3:10: /prefixes/0/bindings/1/cidr: binding already exists for CIDR "
            "203.0.113.1/32 (cdn); "
            "one CIDR carries one binding\n"
            "FILE:4:1: /prefixes/0/bindings/1: syntax error while parsing value - unexpected '}'; "
            "expected "
            "'[', '{', or a literal\n");
}

TEST(BindingsFile, OneErrorHasNoConsequences) {
  expect_errors({
      {"a default of an unknown service",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\", \"service\": \"waf\",\n"
       "\"bindings\": [{\"cidr\": \"203.0.113.1/32\", \"service\": \"cdn\"}]}]}",
       "FILE:1:53: /prefixes/0/service: \"waf\" is not a service; magic_transit, cdn and spectrum "
       "are\n"},
      {"a default whose CIDR is wrong",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/24\", \"bindings\": [\n"
       "{\"cidr\": \"203.0.113.0\", \"service\": \"cdn\"},\n"
       "{\"cidr\": \"203.0.113.1/32\", \"service\": \"spectrum\"}]}]}",
       "FILE:2:10: /prefixes/0/bindings/0/cidr: \"203.0.113.0\" is not a CIDR block; write "
       "ADDRESS/LENGTH, "
       "as in 203.0.113.0/24 or 2001:db8::/48\n"},
      {"a prefix whose CIDR is wrong",
       "{\"prefixes\": [{\"cidr\": \"203.0.113.0/x\", \"service\": \"cdn\",\n"
       "\"bindings\": [{\"cidr\": \"203.0.113.1/32\", \"service\": \"cdn\"}]}]}",
       "FILE:1:24: /prefixes/0/cidr: \"203.0.113.0/x\" is not a CIDR block; write ADDRESS/LENGTH, "
       "as in "
       "203.0.113.0/24 or 2001:db8::/48\n"},
  });
}

}  // namespace
