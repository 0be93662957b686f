// SPDX-License-Identifier: Apache-2.0
#include "app/output.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "app/text_table.h"

namespace braid::app {

namespace {

using Json = nlohmann::ordered_json;
using owner::OutputSink;

// A value as a cell of text: strings as they are, nested values as JSON.
std::string CellText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Sink : public session::ResultSink {
 public:
  explicit Sink(OutputSink& output) : output_(output) {}
  void Notice(std::string_view text) override { output_.Err(std::string(text) + "\n"); }

 protected:
  OutputSink& output_;
};

// RFC 4180, with lines ended by \n: NULL is empty, an empty string "".
class CsvSink final : public Sink {
 public:
  using Sink::Sink;
  void Begin(const std::vector<std::string>& names, const std::vector<std::string>&) override {
    columns_ = names.size();
    std::string line;
    for (size_t i = 0; i < columns_; ++i) line += (i == 0 ? "" : ",") + Quoted(names[i]);
    output_.Out(line + "\n");
  }
  void Rows(const engine::Chunk& chunk) override {
    std::string text;
    for (size_t row = 0; row < chunk.rows(); ++row) {
      for (size_t column = 0; column < columns_; ++column) {
        if (column > 0) text += ',';
        const Json value = chunk.Value(column, row);
        if (!value.is_null())
          text += value.is_string() && value.get_ref<const std::string&>().empty()
                      ? "\"\""
                      : Quoted(CellText(value));
      }
      text += '\n';
    }
    output_.Out(text);
  }
  void End() override {}

 private:
  static std::string Quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
  }
  size_t columns_ = 0;
};

// One array of objects a result, on one line.
class JsonSink final : public Sink {
 public:
  using Sink::Sink;
  void Begin(const std::vector<std::string>& names, const std::vector<std::string>&) override {
    keys_.clear();
    for (const std::string& name : names) keys_.push_back(Json(name).dump() + ":");
    first_ = true;
    output_.Out("[");
  }
  void Rows(const engine::Chunk& chunk) override {
    std::string text;
    for (size_t row = 0; row < chunk.rows(); ++row) {
      text += first_ ? "{" : ",{";
      first_ = false;
      for (size_t column = 0; column < keys_.size(); ++column) {
        if (column > 0) text += ',';
        text += keys_[column];
        text += chunk.Value(column, row).dump(-1, ' ', false, Json::error_handler_t::replace);
      }
      text += '}';
    }
    output_.Out(text);
  }
  void End() override { output_.Out("]\n"); }

 private:
  std::vector<std::string> keys_;
  bool first_ = true;
};

class TableSink final : public Sink {
 public:
  TableSink(OutputSink& output, bool markdown, size_t width)
      : Sink(output), markdown_(markdown), width_(width) {}
  void Begin(const std::vector<std::string>& names,
             const std::vector<std::string>& types) override {
    table_ = TextTable(names, types);
  }
  void Rows(const engine::Chunk& chunk) override {
    for (size_t row = 0; row < chunk.rows(); ++row) {
      std::vector<std::string> cells;
      for (size_t column = 0; column < table_.columns(); ++column) {
        const Json value = chunk.Value(column, row);
        cells.push_back(value.is_null() ? "NULL" : CellText(value));
      }
      table_.AddRow(std::move(cells));
    }
  }
  void End() override { output_.Out(markdown_ ? table_.ToMarkdown() : table_.ToText(width_)); }

 private:
  bool markdown_;
  size_t width_;
  TextTable table_;
};

}  // namespace

OutputFormat ParseOutputFormat(std::string_view text) {
  static const std::vector<std::string> names = {"table", "csv", "json", "markdown"};
  for (size_t i = 0; i < names.size(); ++i)
    if (text == names[i]) return static_cast<OutputFormat>(i);
  const auto close = ClosestMatch(text, names);
  throw Error(ErrorCode::kUsage, fmt::format("Not an output format: {}", text),
              close ? fmt::format("did you mean {}?", *close)
                    : "the formats are table, csv, json and markdown");
}

std::unique_ptr<session::ResultSink> MakeResultSink(OutputFormat format, OutputSink& output,
                                                    size_t width) {
  switch (format) {
    case OutputFormat::kCsv:
      return std::make_unique<CsvSink>(output);
    case OutputFormat::kJson:
      return std::make_unique<JsonSink>(output);
    case OutputFormat::kMarkdown:
      return std::make_unique<TableSink>(output, true, width);
    case OutputFormat::kTable:
      break;
  }
  return std::make_unique<TableSink>(output, false, width);
}

std::string RenderError(const Error& error, OutputFormat format) {
  if (format != OutputFormat::kJson) return error.ToText();
  Json json = {
      {"code", Describe(error.code()).text}, {"message", error.message()}, {"hint", error.hint()}};
  json["file"] = error.where() ? Json(error.where()->file) : Json();
  json["line"] = error.where() ? Json(error.where()->line) : Json();
  json["column"] = error.where() ? Json(error.where()->column) : Json();
  return Json{{"error", json}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace braid::app
