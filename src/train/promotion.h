// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "engine/connection.h"
#include "session/model_store.h"
#include "train/training_rows.h"

namespace braid::train {

struct Promotion {
  bool promoted = false;
  std::string reason;  // with the numbers that decided
};

// Throws TRAINING_DATA when rows that were trained on also stand in the promotion query's result,
// as far as the columns that both have tell them apart.
void RefuseOverlap(engine::Connection& connection, const TrainingRows& rows,
                   const std::string& promotion_query);

// Compares a new version with the champion on the rows of the promotion query: lower log loss, or
// RMSE, wins.
Promotion Decide(engine::Connection& connection, session::ModelStore& models,
                 const catalog::ModelVersion& champion, const catalog::ModelVersion& candidate,
                 const std::optional<std::string>& promotion_query);

}  // namespace braid::train
