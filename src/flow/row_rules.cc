// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "flow/run_parts_internal.h"
#include "syntax/format.h"

namespace braid::flow {

namespace {

using syntax::ViolationAction;

std::string_view ActionText(ViolationAction action) {
  switch (action) {
    case ViolationAction::kKeep:
      return "keep";
    case ViolationAction::kDropRow:
      return "drop row";
    case ViolationAction::kFailUpdate:
      return "fail update";
    case ViolationAction::kQuarantine:
      return "quarantine";
  }
  return "";
}

// One temporary table of rows, each rule as a column that is TRUE where it holds.
class Rules {
 public:
  Rules(const Node& node, const syntax::TableDeclaration& table, RunContext& run)
      : node_(node), table_(table), run_(run) {}

  RuledRows Apply(const std::string& query, bool replaces) {
    Load(query);
    RuledRows ruled;
    Count(ruled);
    FailWhereAsked(ruled);
    const std::string dropped = AnyFails(ViolationAction::kDropRow);
    const std::string quarantined = AnyFails(ViolationAction::kQuarantine);
    if (!quarantined.empty()) Quarantine(quarantined, dropped, replaces);
    std::string where;
    for (const std::string& gone : {dropped, quarantined})
      if (!gone.empty())
        where += fmt::format("{}NOT ({})", where.empty() ? " WHERE " : " AND ", gone);
    ruled.kept = fmt::format("SELECT * EXCLUDE ({}) FROM {}{}", flags_, rows_, where);
    return ruled;
  }

 private:
  static std::string Flag(size_t rule) { return fmt::format("__braid_rule_{}", rule); }

  void Load(const std::string& query) {
    rows_ = run_.NewTemporary();
    std::string rules;
    for (size_t i = 0; i < table_.expectations.size(); ++i) {
      rules += fmt::format(", coalesce(CAST(({}\n) AS BOOLEAN), FALSE) AS {}",
                           table_.expectations[i].condition.text, Flag(i));
      flags_ += (i == 0 ? "" : ", ") + Flag(i);
    }
    run_.connection.Execute(fmt::format("CREATE TEMP TABLE {} AS SELECT *{} FROM (\n{}\n) AS {}",
                                        rows_, rules, query,
                                        syntax::QuoteIdentifier(NameOf(node_.target))));
  }

  void Count(RuledRows& ruled) {
    std::string counts = "count(*)";
    for (size_t i = 0; i < table_.expectations.size(); ++i)
      counts += fmt::format(", count(*) FILTER (NOT {})", Flag(i));
    const auto row = run_.connection.Rows(fmt::format("SELECT {} FROM {}", counts, rows_)).at(0);
    const int64_t all = row[0];
    for (size_t i = 0; i < table_.expectations.size(); ++i) {
      const int64_t failed = row[i + 1];
      ruled.results.push_back({.node = node_.name,
                               .name = table_.expectations[i].name,
                               .action = std::string(ActionText(table_.expectations[i].action)),
                               .passed = all - failed,
                               .failed = failed});
    }
  }

  void FailWhereAsked(const RuledRows& ruled) {
    for (size_t i = 0; i < table_.expectations.size(); ++i) {
      if (table_.expectations[i].action != ViolationAction::kFailUpdate ||
          ruled.results[i].failed == 0)
        continue;
      const auto example =
          run_.connection.Scalar(fmt::format("SELECT CAST(to_json(r) AS VARCHAR) FROM (SELECT * "
                                             "EXCLUDE ({}) FROM {} WHERE NOT {} LIMIT 1) AS r",
                                             flags_, rows_, Flag(i)));
      throw Error(
          ErrorCode::kExpectationFailed,
          fmt::format("Rows break an expectation of {}: {} ({} of {} rows)", node_.target,
                      ruled.results[i].name, ruled.results[i].failed,
                      ruled.results[i].failed + ruled.results[i].passed),
          fmt::format("one of them: {}", example.is_string() ? example.get<std::string>() : "?"));
    }
  }

  std::string AnyFails(ViolationAction action) const {
    std::string any;
    for (size_t i = 0; i < table_.expectations.size(); ++i)
      if (table_.expectations[i].action == action)
        any += (any.empty() ? "NOT " : " OR NOT ") + Flag(i);
    return any;
  }

  void Quarantine(const std::string& condition, const std::string& dropped, bool replaces) {
    std::string names;
    for (size_t i = 0; i < table_.expectations.size(); ++i)
      names += fmt::format("{}CASE WHEN NOT {} THEN {} END", i == 0 ? "" : ", ", Flag(i),
                           syntax::QuoteString(table_.expectations[i].name));
    const std::string rows = fmt::format(
        "SELECT * EXCLUDE ({}), list_filter([{}], lambda rule: rule IS NOT NULL) AS _rules, {} AS "
        "_run_id, {} AS _source, "
        "CAST({} AS TIMESTAMPTZ) AS _at FROM {} WHERE ({}){}",
        flags_, names, syntax::QuoteString(run_.change.run_id), syntax::QuoteString(node_.name),
        syntax::QuoteString(run_.change.now), rows_, condition,
        dropped.empty() ? "" : fmt::format(" AND NOT ({})", dropped));
    const std::string table = LakeName(node_.target, "__quarantine");
    run_.connection.Execute(
        fmt::format("CREATE TABLE IF NOT EXISTS {} AS FROM ({}) LIMIT 0", table, rows));
    if (replaces) run_.connection.Execute("TRUNCATE " + table);
    run_.connection.Execute(fmt::format("INSERT INTO {} BY NAME {}", table, rows));
  }

  const Node& node_;
  const syntax::TableDeclaration& table_;
  RunContext& run_;
  std::string rows_;
  std::string flags_;
};

}  // namespace

RuledRows ApplyRules(const Node& node, const syntax::TableDeclaration& table,
                     const std::string& query, bool replaces, RunContext& run) {
  return Rules(node, table, run).Apply(query, replaces);
}

}  // namespace braid::flow
