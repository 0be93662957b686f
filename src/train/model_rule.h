// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/connection.h"
#include "syntax/statement.h"

namespace braid::train {

// What a condition may name, and how it is measured when it does.
struct Quantity {
  std::string name;          // lower case
  bool is_interval = false;  // measured in days
  std::function<std::optional<double>()> measure;
};

struct Verdict {
  bool holds = false;
  std::map<std::string, double> quantities;  // those that the condition names and that are known
  std::string reason;                        // "new_labels 120, age 0.5 days"
};

// A condition over quantities (docs/sql/model_rules.md). Throws SYNTAX, BINDER for what is no
// boolean expression over them; offsets are of the condition.
void CheckRule(engine::Connection& connection, const syntax::SourceText& condition,
               const std::vector<Quantity>& quantities);
Verdict JudgeRule(engine::Connection& connection, const syntax::SourceText& condition,
                  const std::vector<Quantity>& quantities);

}  // namespace braid::train
