// SPDX-License-Identifier: Apache-2.0
#include "train/model_rule.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "session/scoring_call.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::train {

namespace {

constexpr double kMicrosecondsADay = 86'400e6;

std::string ValueSql(const Quantity& quantity, const std::optional<double>& value) {
  if (!value || !std::isfinite(*value))
    return quantity.is_interval ? "CAST(NULL AS INTERVAL)" : "CAST(NULL AS DOUBLE)";
  if (!quantity.is_interval) return fmt::format("CAST({} AS DOUBLE)", session::NumberSql(*value));
  return fmt::format("to_microseconds({})",
                     static_cast<int64_t>(std::llround(*value * kMicrosecondsADay)));
}

std::string Shown(const Quantity& quantity, const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return quantity.name + " not known";
  return fmt::format("{} {:.6g}{}", quantity.name, *value, quantity.is_interval ? " days" : "");
}

std::string RuleSql(const syntax::SourceText& condition, const std::string& values) {
  return fmt::format("SELECT ({}\n) FROM (SELECT {})", condition.text, values);
}

}  // namespace

void CheckRule(engine::Connection& connection, const syntax::SourceText& condition,
               const std::vector<Quantity>& quantities) {
  std::vector<std::string> names;
  std::string values;
  for (const Quantity& quantity : quantities) {
    names.push_back(quantity.name);
    values += fmt::format("{}{} AS {}", values.empty() ? "" : ", ", ValueSql(quantity, {}),
                          syntax::QuoteIdentifier(quantity.name));
  }
  const std::vector<syntax::Token> tokens = syntax::Lex(condition.text, "");
  for (const syntax::Token& token : tokens)
    if (token.Is("SELECT") || token.Is("FROM"))
      throw Error(ErrorCode::kSyntax, "A condition has no subqueries: " + condition.text,
                  fmt::format("it is over {}", fmt::join(names, ", ")));
  engine::StatementInfo info;
  try {
    info = connection.DescribeStatement(RuleSql(condition, values));
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("In the condition {}: {}", condition.text, error.message()),
                fmt::format("the quantities are {}", fmt::join(names, ", ")));
  }
  if (info.column_types.size() != 1 || info.column_types[0] != "BOOLEAN")
    throw Error(
        ErrorCode::kBinder,
        fmt::format("The condition is no BOOLEAN but {}: {}", info.column_types[0], condition.text),
        "compare: new_rows >= 1000");
}

Verdict JudgeRule(engine::Connection& connection, const syntax::SourceText& condition,
                  const std::vector<Quantity>& quantities) {
  CheckRule(connection, condition, quantities);
  Verdict verdict;
  std::string values;
  for (const Quantity& quantity : quantities) {
    if (!syntax::HasName(condition.text, quantity.name)) continue;
    const std::optional<double> value = quantity.measure();
    if (value && std::isfinite(*value)) verdict.quantities[quantity.name] = *value;
    values += fmt::format("{}{} AS {}", values.empty() ? "" : ", ", ValueSql(quantity, value),
                          syntax::QuoteIdentifier(quantity.name));
    verdict.reason += (verdict.reason.empty() ? "" : ", ") + Shown(quantity, value);
  }
  const auto answer =
      connection.Scalar(RuleSql(condition, values.empty() ? std::string("1 AS one") : values));
  verdict.holds = answer.is_boolean() && answer.get<bool>();
  return verdict;
}

}  // namespace braid::train
