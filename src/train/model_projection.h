// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/connection.h"
#include "lake/tables.h"
#include "ml/model_kind.h"
#include "ml/options.h"
#include "session/model_store.h"
#include "syntax/statement.h"

namespace braid::train {

// What a model sees of the columns of its training query.
struct ProjectionRequest {
  std::vector<lake::Column> columns;
  ml::ModelOptions options;
  std::optional<ml::NamedColumns> named;  // of kinds that name their columns
  std::vector<std::string> partition;     // the columns of PARTITION BY

  bool has_label() const { return named || ml::IsSupervised(options.kind->task); }
  bool classifies() const { return options.kind->task == ml::Task::kClassification; }
};

// The label alone. Throws TRAINING_DATA, also for a weight column that there is not.
session::Projection ProjectLabel(const ProjectionRequest& request);

// The values of the partition columns, as inputs with their types. Throws TRAINING_DATA for columns
// that cannot part the rows.
std::vector<session::ProjectedInput> PartitionKeys(const ProjectionRequest& request);

// Adds the inputs by automatic preprocessing. Throws TRAINING_DATA.
void ProjectColumns(const ProjectionRequest& request, session::Projection& projection);

// Adds the inputs that a TRANSFORM clause makes, with the statistics of `rows`, which is SQL.
// Errors carry a place in the clause's text.
void ProjectTransform(engine::Connection& connection, const ProjectionRequest& request,
                      const syntax::SourceText& clause, const std::string& rows,
                      session::Projection& projection);

}  // namespace braid::train
