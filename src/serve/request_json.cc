// SPDX-License-Identifier: Apache-2.0
#include "serve/request_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/uuid.h"
#include "serve/json_field.h"
#include "serve/json_tape.h"

namespace braid::serve {

namespace {

using Kind = JsonTape::Kind;
using Index = JsonTape::Index;

constexpr size_t kShownName = 100;
constexpr size_t kMaxHints = 100;

// What a client called something, short enough for a message.
std::string Shown(std::string_view name) {
  if (name.size() <= kShownName) return std::string(name);
  size_t cut = kShownName;
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) --cut;
  return std::string(name.substr(0, cut)) + "…";
}

Error UnknownField(std::string_view name, std::string_view where,
                   const std::vector<std::string>& known) {
  const std::string shown = Shown(name);
  std::string hint = fmt::format("the fields are {}", fmt::join(known, ", "));
  if (known.empty()) hint = "it takes no fields";
  if (const auto closest = ClosestMatch(shown, known))
    hint = fmt::format("did you mean {}?", *closest);
  return Error(ErrorCode::kMalformedRequest, fmt::format("Unknown field {}: {}", where, shown),
               hint);
}

Error WrongType(std::string_view field, std::string_view where, std::string_view expected, Kind got,
                std::string_view value, std::string_view hint) {
  const bool has_text = got == Kind::kInteger || got == Kind::kFloat || got == Kind::kString;
  return Error(
      ErrorCode::kWrongType,
      fmt::format("Wrong type {}: field {} takes {}, got {}{}{}", where, Shown(field), expected,
                  DescribeKind(got), has_text ? " " : "", has_text ? Shown(value) : std::string()),
      hint.empty() ? std::string() : fmt::format("{} is {}", expected, hint));
}

Error TooManyRows(size_t rows) {
  return Error(ErrorCode::kTooLarge,
               fmt::format("A request may have {} rows, this has {}", kMaxRequestRows, rows),
               "send them in several requests");
}

class RowDecoder {
 public:
  RowDecoder(const JsonTape& tape, const std::vector<FieldType>& parameters)
      : tape_(tape), parameters_(parameters) {
    for (const FieldType& parameter : parameters) {
      positions_.emplace(parameter.name, readers_.size());
      readers_.emplace_back(parameter.sql_type);
    }
  }

  DecodedRow Decode(Index node, size_t row_index) {
    DecodedRow row;
    row.error = Read(node, row_index, row.values);
    if (row.error) {
      row.values.clear();
      tape_.Render(node, row.input_json);
    } else {
      RenderParameters(row.input_json);
    }
    return row;
  }

 private:
  // Fills `values` and `nodes_`; returns the first thing that is wrong.
  std::optional<Error> Read(Index node, size_t row_index, std::vector<JsonValue>& values) {
    const std::string where = fmt::format("in row {}", row_index);
    if (tape_.kind(node) != Kind::kObject)
      return Error(
          ErrorCode::kMalformedRequest,
          fmt::format("Row {} is not an object but {}", row_index, DescribeKind(tape_.kind(node))),
          "a row is an object with a field for each parameter");
    values.assign(parameters_.size(), JsonValue());
    nodes_.assign(parameters_.size(), 0);
    size_t guess = 0;
    for (Index key = JsonTape::First(node); key < tape_.Next(node); key = tape_.Next(key + 1)) {
      const std::string_view name = tape_.text(key);
      const std::optional<size_t> position = Find(name, guess);
      if (!position) return Unknown(name, where);
      guess = *position + 1;
      const Index value = key + 1;
      std::optional<JsonValue> read = readers_[*position].Read(tape_, value);
      if (!read)
        return WrongType(name, where, parameters_[*position].sql_type, tape_.kind(value),
                         tape_.text(value), readers_[*position].Expectation());
      values[*position] = *std::move(read);
      nodes_[*position] = value;
    }
    return std::nullopt;
  }

  // Most clients send the parameters in their order, so the next one is tried first.
  std::optional<size_t> Find(std::string_view name, size_t guess) const {
    if (guess < parameters_.size() && parameters_[guess].name == name) return guess;
    const auto found = positions_.find(name);
    if (found == positions_.end()) return std::nullopt;
    return found->second;
  }

  Error Unknown(std::string_view name, std::string_view where) {
    if (name == "rows")
      return Error(ErrorCode::kMalformedRequest, fmt::format("Unknown field {}: rows", where),
                   "several rows are sent as {\"rows\":[…]} and nothing beside it");
    // The search for a close name is dear; thousands of wrong rows need it a few times only.
    if (++unknown_fields_ > kMaxHints)
      return Error(ErrorCode::kMalformedRequest,
                   fmt::format("Unknown field {}: {}", where, Shown(name)));
    std::vector<std::string> known;
    for (const FieldType& parameter : parameters_) known.push_back(parameter.name);
    return UnknownField(name, where, known);
  }

  void RenderParameters(std::string& out) const {
    out += '{';
    for (size_t i = 0; i < parameters_.size(); ++i) {
      if (i > 0) out += ',';
      AppendJsonString(parameters_[i].name, out);
      out += ':';
      if (nodes_[i] == 0) {
        out += "null";
      } else {
        tape_.Render(nodes_[i], out);
      }
    }
    out += '}';
  }

  const JsonTape& tape_;
  const std::vector<FieldType>& parameters_;
  std::vector<FieldReader> readers_;
  std::unordered_map<std::string_view, size_t> positions_;
  size_t unknown_fields_ = 0;
  std::vector<Index> nodes_;  // of the row at hand, by parameter; 0 where none came
};

void RequireObject(const JsonTape& tape) {
  if (tape.kind(JsonTape::kRoot) == Kind::kObject) return;
  throw Error(
      ErrorCode::kMalformedRequest,
      fmt::format("The body is not an object but {}", DescribeKind(tape.kind(JsonTape::kRoot))),
      "send one row as {…} or several as {\"rows\":[…]}");
}

// The array of {"rows":[…]}, or nothing when the body is one row.
std::optional<Index> RowsOf(const JsonTape& tape, const std::vector<FieldType>& parameters) {
  if (tape.Count(JsonTape::kRoot) != 1) return std::nullopt;
  const Index key = JsonTape::First(JsonTape::kRoot);
  if (tape.text(key) != "rows" || tape.kind(key + 1) != Kind::kArray) return std::nullopt;
  const bool is_parameter =
      std::any_of(parameters.begin(), parameters.end(),
                  [](const FieldType& field) { return field.name == "rows"; });
  return is_parameter ? std::nullopt : std::optional<Index>(key + 1);
}

// The fields of an object of the feedback body, by name; null counts as absent.
class Fields {
 public:
  template <size_t N>
  Fields(const JsonTape& tape, Index object, const std::array<std::string_view, N>& names,
         std::string where)
      : tape_(tape), where_(std::move(where)) {
    for (Index key = JsonTape::First(object); key < tape.Next(object); key = tape.Next(key + 1)) {
      const std::string_view name = tape.text(key);
      if (std::find(names.begin(), names.end(), name) == names.end())
        throw UnknownField(name, where_, std::vector<std::string>(names.begin(), names.end()));
      if (tape.kind(key + 1) != Kind::kNull) nodes_.emplace(name, key + 1);
    }
  }

  std::optional<Index> Find(std::string_view name, Kind kind, std::string_view expected) const {
    const auto found = nodes_.find(name);
    if (found == nodes_.end()) return std::nullopt;
    if (tape_.kind(found->second) != kind) throw Wrong(name, expected, "");
    return found->second;
  }

  std::optional<std::string> Text(std::string_view name) const {
    const std::optional<Index> node = Find(name, Kind::kString, "a string");
    if (!node) return std::nullopt;
    if (tape_.text(*node).empty())
      throw Error(ErrorCode::kMalformedRequest, fmt::format("Empty field {}: {}", where_, name),
                  "leave it out when there is none");
    return std::string(tape_.text(*node));
  }

  Error Missing(std::string_view name) const {
    return Error(ErrorCode::kMalformedRequest, fmt::format("Missing field {}: {}", where_, name));
  }

  Error Wrong(std::string_view name, std::string_view expected, std::string_view hint) const {
    const Index node = nodes_.at(name);
    const Kind kind = tape_.kind(node);
    return WrongType(name, where_, expected, kind, tape_.text(node), hint);
  }

  const std::string& where() const { return where_; }

 private:
  const JsonTape& tape_;
  std::string where_;
  std::unordered_map<std::string_view, Index> nodes_;
};

constexpr std::array<std::string_view, 4> kOrigins = {"outcome", "human", "pseudo", "synthetic"};

FeedbackRow DecodeFeedbackRow(const JsonTape& tape, Index node, size_t row_index) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "inference_id", "client_request_id", "outcome", "origin", "observed_at", "annotator"};
  if (tape.kind(node) != Kind::kObject)
    throw Error(
        ErrorCode::kMalformedRequest,
        fmt::format("Row {} is not an object but {}", row_index, DescribeKind(tape.kind(node))));
  const Fields fields(tape, node, kNames, fmt::format("in row {}", row_index));
  FeedbackRow row;
  row.inference_id = fields.Text("inference_id");
  row.client_request_id = fields.Text("client_request_id");
  row.annotator = fields.Text("annotator");
  row.observed_at = fields.Text("observed_at");
  if (row.inference_id.has_value() == row.client_request_id.has_value())
    throw Error(ErrorCode::kMalformedRequest,
                fmt::format("Which inference is not clear {}", fields.where()),
                "give either inference_id or client_request_id");
  if (row.inference_id && !IsUuid(*row.inference_id))
    throw fields.Wrong("inference_id", "UUID", "");
  if (row.observed_at && !IsIsoTimestamp(*row.observed_at))
    throw fields.Wrong("observed_at", "TIMESTAMPTZ", "a string like \"2013-01-31T23:59:59Z\"");
  if (auto origin = fields.Text("origin")) row.origin = *std::move(origin);
  if (std::find(kOrigins.begin(), kOrigins.end(), row.origin) == kOrigins.end())
    throw Error(ErrorCode::kMalformedRequest,
                fmt::format("Unknown origin {}: {}", fields.where(), Shown(row.origin)),
                fmt::format("it is one of {}", fmt::join(kOrigins, ", ")));
  const std::optional<Index> outcome = fields.Find("outcome", Kind::kObject, "an object");
  if (!outcome) throw fields.Missing("outcome");
  tape.Render(*outcome, row.outcome_json);
  return row;
}

}  // namespace

DecodedRequest DecodeServiceRequest(std::string_view body,
                                    const std::vector<FieldType>& parameters) {
  const JsonTape tape(body, kMaxJsonDepth);
  RequireObject(tape);
  RowDecoder decoder(tape, parameters);
  DecodedRequest request;
  const std::optional<Index> rows = RowsOf(tape, parameters);
  if (!rows) {
    request.is_single = true;
    request.rows.push_back(decoder.Decode(JsonTape::kRoot, 0));
    return request;
  }
  if (tape.Count(*rows) > kMaxRequestRows) throw TooManyRows(tape.Count(*rows));
  request.rows.reserve(tape.Count(*rows));
  for (Index node = JsonTape::First(*rows); node < tape.Next(*rows); node = tape.Next(node))
    request.rows.push_back(decoder.Decode(node, request.rows.size()));
  return request;
}

DecodedFeedback DecodeFeedback(std::string_view body) {
  static constexpr std::array<std::string_view, 2> kNames = {"service", "rows"};
  const JsonTape tape(body, kMaxJsonDepth);
  RequireObject(tape);
  const Fields fields(tape, JsonTape::kRoot, kNames, "in the body");
  DecodedFeedback feedback;
  std::optional<std::string> service = fields.Text("service");
  if (!service) throw fields.Missing("service");
  feedback.service = *std::move(service);
  const std::optional<Index> rows = fields.Find("rows", Kind::kArray, "an array");
  if (!rows) throw fields.Missing("rows");
  if (tape.Count(*rows) > kMaxRequestRows) throw TooManyRows(tape.Count(*rows));
  feedback.rows.reserve(tape.Count(*rows));
  for (Index node = JsonTape::First(*rows); node < tape.Next(*rows); node = tape.Next(node))
    feedback.rows.push_back(DecodeFeedbackRow(tape, node, feedback.rows.size()));
  return feedback;
}

}  // namespace braid::serve
