// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "session/model_store.h"
#include "train/model_rule.h"

namespace braid::train {

// Rows of a query, and those of them with a label.
struct RowCounts {
  int64_t rows = 0;
  int64_t labels = 0;
};
// `label` may be empty: then labels are rows. `rows`: a parenthesised query.
RowCounts CountRows(engine::Connection& connection, const std::string& rows,
                    const std::string& label);

// What RETRAIN WHEN is about. All outlive the quantities made of them.
struct RetrainFacts {
  engine::Connection& connection;
  session::ModelStore& models;
  const catalog::ModelVersion& newest;
  const catalog::ModelVersion& champion;
  std::string training_rows;  // parenthesised queries, plain SQL
  std::string monitored_rows;
  std::string now;  // ISO 8601
};
std::vector<Quantity> RetrainQuantities(const RetrainFacts& facts);

// What PROMOTE WHEN is about: two versions on rows that neither was trained on.
struct PromoteFacts {
  engine::Connection& connection;
  session::ModelStore& models;
  const catalog::ModelVersion& champion;
  const catalog::ModelVersion& candidate;
  std::string rows;  // a parenthesised query, plain SQL
};
std::vector<Quantity> PromoteQuantities(const PromoteFacts& facts);

// The quantities that there are for a task, measuring nothing: to check a condition by.
std::vector<Quantity> RetrainQuantityNames(ml::Task task);
std::vector<Quantity> PromoteQuantityNames(ml::Task task);

}  // namespace braid::train
