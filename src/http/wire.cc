// SPDX-License-Identifier: Apache-2.0
#include "http/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace braid::http {

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error BadTarget(std::string_view target) {
  return Error(
      ErrorCode::kMalformedRequest,
      fmt::format("Malformed request target: {}", target.substr(0, 200)),
      "it is a path and a query, with % and two hexadecimal digits for special characters");
}

void ParseQuery(std::string_view target, Request& request) {
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const std::string_view raw =
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    std::optional<std::string> name = PercentDecode(pair.substr(0, equals), true);
    std::optional<std::string> value = PercentDecode(raw, true);
    if (!name || !value) throw BadTarget(target);
    request.query_parameters.insert_or_assign(*std::move(name), *std::move(value));
  }
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  return out;
}

void ParseTarget(std::string_view target, Request& request) {
  std::string_view rest = target;
  if (const size_t scheme = rest.find("://");
      !rest.starts_with('/') && scheme != std::string_view::npos) {
    const size_t path = rest.find_first_of("/?", scheme + 3);
    rest = path == std::string_view::npos ? std::string_view("/") : rest.substr(path);
  }
  const size_t question = rest.find('?');
  std::string_view path = rest.substr(0, question);
  if (path.empty() && question == 0) path = "/";
  if (!path.starts_with('/') && path != "*") throw BadTarget(target);
  std::optional<std::string> decoded = PercentDecode(path, false);
  if (!decoded) throw BadTarget(target);
  request.path = *std::move(decoded);
  if (question == std::string_view::npos) return;
  request.query = rest.substr(question + 1);
  ParseQuery(target, request);
}

bool IsBodiless(int status) { return status < 200 || status == 204 || status == 304; }

void AppendHead(const Response& response, AnswerTo to, std::string& out) {
  auto append_field = [&out](std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      out += byte < 0x20 || byte == 0x7F ? ' ' : c;
    }
    out += "\r\n";
  };
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status,
                 ReasonPhrase(response.status));
  if (!IsBodiless(response.status)) {
    if (!response.content_type.empty()) append_field("Content-Type", response.content_type);
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
  }
  for (const auto& [name, value] : response.headers) append_field(name, value);
  if (!to.keep_alive) {
    out += "Connection: close\r\n";
  } else if (to.is_http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

}  // namespace braid::http
