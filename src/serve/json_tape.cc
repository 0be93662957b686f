// SPDX-License-Identifier: Apache-2.0
#include "serve/json_tape.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"

namespace braid::serve {

namespace {

constexpr size_t kMaxText = size_t{1} << 30;  // nodes hold 32-bit offsets
constexpr size_t kFewKeys = 16;

Error Malformed(std::string message, std::string hint = "") {
  return Error(ErrorCode::kMalformedRequest, std::move(message), std::move(hint));
}

// Keeps of the parser's message what is neither ours to say (the place) nor the client's bytes.
std::string Reason(std::string_view what) {
  if (const size_t place = what.find(", column "); place != std::string_view::npos) {
    const size_t colon = what.find(": ", place);
    if (colon != std::string_view::npos) what.remove_prefix(colon + 2);
  } else if (const size_t bracket = what.find("] "); bracket != std::string_view::npos) {
    what.remove_prefix(bracket + 2);
  }
  return std::string(what.substr(0, std::min<size_t>(what.find("; last read"), 200)));
}

}  // namespace

// Fills a tape from the parser's events; false stops the parser, `failure` then says why.
class JsonTape::Reader {
 public:
  Reader(JsonTape& tape, std::string_view text, size_t max_depth)
      : tape_(tape), source_(text), max_depth_(max_depth) {}

  const std::optional<Error>& failure() const { return failure_; }

  bool null() { return Scalar(Kind::kNull, {}); }
  bool boolean(bool value) { return Scalar(value ? Kind::kTrue : Kind::kFalse, {}); }
  bool number_integer(int64_t value) {
    const fmt::format_int digits(value);
    return Scalar(Kind::kInteger, {digits.data(), digits.size()});
  }
  bool number_unsigned(uint64_t value) {
    const fmt::format_int digits(value);
    return Scalar(Kind::kInteger, {digits.data(), digits.size()});
  }
  bool number_float(double, const std::string& digits) {
    // Integers beyond 64 bits arrive here too.
    const bool is_integer = digits.find_first_of(".eE") == std::string::npos;
    return Scalar(is_integer ? Kind::kInteger : Kind::kFloat, digits);
  }
  bool string(std::string& value) { return Scalar(Kind::kString, value); }
  bool binary(std::vector<uint8_t>&) { return false; }
  bool key(std::string& value) {
    Append(Kind::kKey, value);
    return true;
  }
  bool start_object(size_t) { return Open(Kind::kObject); }
  bool start_array(size_t) { return Open(Kind::kArray); }
  bool end_array() {
    Close();
    return true;
  }
  bool end_object() {
    const Index object = open_.back();
    Close();
    const std::optional<std::string> twice = RepeatedKey(object);
    if (!twice) return true;
    failure_ =
        Malformed(fmt::format("A field comes twice in one object: {}", twice->substr(0, 200)));
    return false;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& error) {
    const SourceSpot spot = SpotAt(source_, position == 0 ? 0 : position - 1, "");
    failure_ = Malformed(fmt::format("Malformed JSON at line {}, column {}: {}", spot.line,
                                     spot.column, Reason(error.what())),
                         "the body is one JSON object in UTF-8");
    return false;
  }

 private:
  void Append(Kind kind, std::string_view text) {
    const auto begin = static_cast<uint32_t>(tape_.text_.size());
    tape_.text_ += text;
    tape_.nodes_.push_back({kind, begin, static_cast<uint32_t>(text.size()),
                            static_cast<uint32_t>(tape_.nodes_.size() + 1)});
  }
  void CountChild() {
    if (!open_.empty()) ++tape_.nodes_[open_.back()].size;
  }
  bool Scalar(Kind kind, std::string_view text) {
    CountChild();
    Append(kind, text);
    return true;
  }
  bool Open(Kind kind) {
    if (open_.size() >= max_depth_) {
      failure_ = Malformed(fmt::format("The JSON nests deeper than {} levels", max_depth_));
      return false;
    }
    CountChild();
    open_.push_back(static_cast<Index>(tape_.nodes_.size()));
    Append(kind, {});
    return true;
  }
  void Close() {
    tape_.nodes_[open_.back()].next = static_cast<uint32_t>(tape_.nodes_.size());
    open_.pop_back();
  }

  std::optional<std::string> RepeatedKey(Index object) {
    keys_.clear();
    for (Index node = First(object); node < tape_.Next(object); node = tape_.Next(node + 1)) {
      const std::string_view key = tape_.text(node);
      if (tape_.Count(object) <= kFewKeys &&
          std::find(keys_.begin(), keys_.end(), key) != keys_.end())
        return std::string(key);
      keys_.push_back(key);
    }
    if (keys_.size() <= kFewKeys) return std::nullopt;
    std::sort(keys_.begin(), keys_.end());
    const auto twice = std::adjacent_find(keys_.begin(), keys_.end());
    return twice == keys_.end() ? std::nullopt : std::optional<std::string>(*twice);
  }

  JsonTape& tape_;
  std::string_view source_;
  size_t max_depth_;
  std::vector<Index> open_;
  std::vector<std::string_view> keys_;
  std::optional<Error> failure_;
};

JsonTape::JsonTape(std::string_view text, size_t max_depth) {
  if (text.size() > kMaxText) throw Error(ErrorCode::kTooLarge, "The body is larger than 1 GiB");
  if (text.empty()) throw Malformed("The body is empty", "the body is one JSON object in UTF-8");
  text_.reserve(text.size());
  Reader reader(*this, text, max_depth);
  if (nlohmann::json::sax_parse(text.begin(), text.end(), &reader)) return;
  throw reader.failure().value_or(Malformed("Malformed JSON"));
}

void JsonTape::Render(Index node, std::string& out) const {
  const Node& entry = nodes_[node];
  switch (entry.kind) {
    case Kind::kNull:
      out += "null";
      return;
    case Kind::kFalse:
      out += "false";
      return;
    case Kind::kTrue:
      out += "true";
      return;
    case Kind::kInteger:
    case Kind::kFloat:
      out += text(node);
      return;
    case Kind::kString:
    case Kind::kKey:
      AppendJsonString(text(node), out);
      return;
    case Kind::kObject:
    case Kind::kArray:
      break;
  }
  const bool is_object = entry.kind == Kind::kObject;
  out += is_object ? '{' : '[';
  for (Index child = First(node); child < entry.next; child = Next(child)) {
    if (child != First(node)) out += ',';
    if (is_object) {
      AppendJsonString(text(child++), out);
      out += ':';
    }
    Render(child, out);
  }
  out += is_object ? '}' : ']';
}

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

std::string_view DescribeKind(JsonTape::Kind kind) {
  switch (kind) {
    case JsonTape::Kind::kNull:
      return "null";
    case JsonTape::Kind::kFalse:
    case JsonTape::Kind::kTrue:
      return "a boolean";
    case JsonTape::Kind::kInteger:
    case JsonTape::Kind::kFloat:
      return "a number";
    case JsonTape::Kind::kObject:
      return "an object";
    case JsonTape::Kind::kArray:
      return "an array";
    case JsonTape::Kind::kString:
    case JsonTape::Kind::kKey:
      break;
  }
  return "a string";
}

}  // namespace braid::serve
