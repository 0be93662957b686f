// SPDX-License-Identifier: Apache-2.0
#include "golden_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/file.h"
#include "golden_compare.h"

namespace braid::golden {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::milliseconds kPause{20};

// Lets others work between two tries.
void Pause() {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, kPause, [] { return false; });
}

bool Has(const Record& record, std::string_view argument) {
  return std::find(record.arguments.begin(), record.arguments.end(), argument) !=
         record.arguments.end();
}

std::optional<double> Tolerance(const Record& record) {
  for (const std::string& argument : record.arguments)
    if (argument.starts_with("tol=")) return std::stod(argument.substr(4));
  return std::nullopt;
}

// Rows, or the error that came instead.
std::vector<std::string> RowsOrError(const Outcome& outcome) {
  if (outcome.code.empty()) return outcome.rows;
  return {"error " + outcome.code};
}

// "X-Name: value" lines, then the body.
http::Request ParseRequest(const Record& record) {
  http::Request request;
  request.method = record.arguments[0];
  request.path = record.arguments[1];
  request.remote_address = "127.0.0.1";
  size_t line = 0;
  for (; line < record.body.size(); ++line) {
    const std::string& text = record.body[line];
    const size_t colon = text.find(": ");
    if (colon == std::string::npos || text.find_first_of("{[\" ") < colon) break;
    std::string name = text.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    request.headers[name] = text.substr(colon + 2);
  }
  request.body =
      JoinLines({record.body.begin() + static_cast<std::ptrdiff_t>(line), record.body.end()});
  return request;
}

}  // namespace

Runner::Runner(RunnerOptions options) : options_(std::move(options)), world_(options_.threads) {
  values_["DATA"] = std::filesystem::absolute(options_.data).string();
  values_["DIR"] = world_.root().string();
}

int Runner::Run() {
  const std::string text = ReadFile(options_.file);
  const std::vector<Record> records = ParseScript(text);
  for (const Record& record : records) {
    try {
      Step(record);
      if (options_.restart_each && !world_.in_transaction()) world_.Restart();
    } catch (const std::exception& error) {
      Differs(record, {}, {}, error.what());
      break;
    }
  }
  if (options_.rewrite) Rewrite(text);
  return failures_;
}

void Runner::Bind(Record& record) const {
  std::map<std::string, std::string> values = values_;
  for (const auto& [name, value] : record.bindings) values[name] = value;
  for (auto* lines : {&record.arguments, &record.body, &record.expected})
    for (std::string& line : *lines) line = Substitute(line, values);
}

void Runner::Step(Record record) {
  Bind(record);
  switch (record.kind) {
    case RecordKind::kStatement:
      return Statement(record);
    case RecordKind::kQuery:
      return Query(record);
    case RecordKind::kAwait:
      return Await(record);
    case RecordKind::kLet:
      return Let(record);
    case RecordKind::kFile:
      return world_.WriteFile(record.arguments[0], record.BodyText());
    case RecordKind::kRun:
      return RunProject(record);
    case RecordKind::kHttp:
      return Http(record);
    case RecordKind::kMove:
      return Move(record);
    case RecordKind::kRestart:
      return world_.Restart();
  }
}

void Runner::Statement(const Record& record) {
  const Outcome outcome = world_.Sql(record.connection, record.BodyText());
  const std::string expected = record.arguments[0] == "ok" ? "" : record.arguments[1];
  if (outcome.code == expected) return;
  const auto head = [](const std::string& code) {
    return code.empty() ? "statement ok" : "statement error " + code;
  };
  Differs(record, {head(expected)}, {head(outcome.code)}, outcome.message);
}

void Runner::Query(const Record& record) {
  const Outcome outcome = world_.Sql(record.connection, record.BodyText());
  std::vector<std::string> expected = record.expected;
  std::vector<std::string> got = RowsOrError(outcome);
  if (Has(record, "rowsort")) {
    std::sort(expected.begin(), expected.end());
    std::sort(got.begin(), got.end());
  }
  if (!SameRows(expected, got, Tolerance(record))) Differs(record, expected, got, outcome.message);
}

void Runner::Await(const Record& record) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  Outcome outcome;
  do {
    outcome = world_.Sql(record.connection, record.BodyText());
    if (RowsOrError(outcome) == record.expected) return;
    Pause();
  } while (std::chrono::steady_clock::now() < end);
  Differs(record, record.expected, RowsOrError(outcome), outcome.message);
}

void Runner::Let(const Record& record) {
  const Outcome outcome = world_.Sql(record.connection, record.BodyText());
  if (!outcome.code.empty()) throw ScriptError(outcome.message);
  if (outcome.rows.size() != 1) throw ScriptError("let takes a query of one row");
  values_[record.arguments[0]] = outcome.rows[0];
}

void Runner::RunProject(const Record& record) {
  std::vector<std::string> select = record.arguments;
  const bool full_refresh = std::erase(select, "full-refresh") > 0;
  const Outcome outcome = world_.Run(select, full_refresh);
  std::vector<std::string> got = {outcome.code.empty() ? "ok" : "error " + outcome.code};
  if (record.expected.size() > 1) got.insert(got.end(), outcome.rows.begin(), outcome.rows.end());
  if (got != record.expected) Differs(record, record.expected, got, outcome.message);
}

void Runner::Http(const Record& record) {
  const http::Response response = world_.Ask(ParseRequest(record));
  std::vector<std::string> got = {std::to_string(response.status)};
  std::vector<std::string> expected = {record.expected[0]};
  const std::string wanted = JoinLines({record.expected.begin() + 1, record.expected.end()});
  if (!wanted.empty()) {
    const Json pattern = Json::parse(wanted);
    const Json body = Json::parse(response.body, nullptr, false);
    expected.push_back(pattern.dump());
    got.push_back(body.is_discarded() ? response.body : Project(pattern, body).dump());
  }
  if (got != expected) Differs(record, expected, got, response.body);
}

void Runner::Move(const Record& record) {
  const Outcome outcome = world_.Move();
  if (!outcome.code.empty()) Differs(record, {"ok"}, {"error " + outcome.code}, outcome.message);
}

void Runner::Differs(const Record& record, const std::vector<std::string>& expected,
                     const std::vector<std::string>& got, const std::string& message) {
  const bool has_place = record.expected_end > record.expected_begin ||
                         record.kind == RecordKind::kQuery || record.kind == RecordKind::kAwait;
  const bool is_error_of_query = record.kind != RecordKind::kStatement && got.size() == 1 &&
                                 got[0].starts_with("error ") && record.kind != RecordKind::kRun;
  if (options_.rewrite && has_place && record.bindings.empty() && !got.empty() &&
      !is_error_of_query) {
    replacements_[record.expected_begin] = {record.expected_end, got};
    return;
  }
  ++failures_;
  fmt::print(stderr, "{}:{}: not as expected\n{}{}{}\n", options_.file.string(), record.line,
             DiffText(expected, got), message,
             message.empty() || message.ends_with('\n') ? "" : "\n");
}

void Runner::Rewrite(std::string text) const {
  std::vector<std::string> lines = SplitLines(text);
  for (auto entry = replacements_.rbegin(); entry != replacements_.rend(); ++entry) {
    const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(entry->first);
    const auto end = lines.begin() + static_cast<std::ptrdiff_t>(entry->second.first);
    lines.insert(lines.erase(begin, end), entry->second.second.begin(), entry->second.second.end());
  }
  if (!replacements_.empty()) WriteFileDurably(options_.file, JoinLines(lines));
}

}  // namespace braid::golden
