// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/functions.h"
#include "session/model_store.h"

// What the files of scoring share.
namespace braid::session {

inline constexpr std::string_view kScoringPrefix = "braid_score_";

struct BoundScoring {
  std::shared_ptr<const StoredModel> model;
  double setting = 0;  // threshold, or how many features
  size_t skipped = 1;  // arguments before the inputs
};

// The arguments that are inputs.
Batch Inputs(const BoundScoring& scoring, const Batch& arguments);

using Scorer = std::function<void(const BoundScoring&, const Batch&, engine::VectorWriter)>;

// braid_score_<name>(artefact [, setting], columns…, inputs…): the first `constants` arguments are
// constants; `columns` arguments follow that are none of the model's inputs.
void RegisterScorer(engine::Connection& connection, ModelStore& store, const std::string& name,
                    size_t constants, const std::string& return_type, Scorer score,
                    size_t columns = 0);

// braid_score_label_<type> and braid_score_calibrated_<type>.
void RegisterClassScorers(engine::Connection& connection, ModelStore& store);

// braid_score_places(model, user, item), braid_taken_items(item's place, rating): an aggregate, and
// braid_score_ranking(model, user's place, taken items): an ml::UserRanking.
void RegisterRankingFunctions(engine::Connection& connection, ModelStore& store);
// braid_score_remote.
void RegisterRemoteScorer(engine::Connection& connection, ModelStore& store);

}  // namespace braid::session
