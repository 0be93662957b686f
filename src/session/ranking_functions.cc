// SPDX-License-Identifier: Apache-2.0
// The functions behind ML.EVALUATE of models that rank items.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "session/scoring_internal.h"

namespace braid::session {

namespace {

// Where a user and an item stand in the model; NULL unless it knows both.
void ScorePlaces(const BoundScoring& scoring, const Batch& arguments, engine::VectorWriter out) {
  const ml::Model& model = *scoring.model->core;
  const Batch inputs = Inputs(scoring, arguments);
  engine::VectorWriter fields[] = {out.Child(0), out.Child(1)};
  for (size_t row = 0; row < inputs.rows; ++row) {
    std::optional<uint32_t> places[2];
    for (size_t i = 0; i < 2; ++i)
      if (inputs.columns[i].IsValid(row))
        places[i] = model.PlaceOf(i, inputs.columns[i].strings()[row]);
    const bool known = places[0] && places[1];
    for (size_t i = 0; i < 2; ++i) {
      fields[i].integers()[row] = places[i].value_or(0);
      if (!known) fields[i].SetNull(row);
    }
    if (!known) out.SetNull(row);
  }
}

void CheckGain(double gain) {
  if (gain >= 0 && std::isfinite(gain)) return;
  throw Error(ErrorCode::kModelInput,
              fmt::format("An implicit rating is below zero or infinite: {}", gain),
              "implicit ratings say how often or how long; leave such rows out");
}

// Columns: an item's place, and how much its user took to it. Gives the bytes of the TakenItems;
// several of one item are added up, and zeros, which say nothing, are left out.
struct TakenState final : engine::AggregateFunction::State {
  void Add(const Batch& rows) override {
    for (size_t row = 0; row < rows.rows; ++row) {
      const double gain = rows.columns[1].doubles()[row];
      if (!rows.columns[1].IsValid(row) || std::isnan(gain) || gain == 0) continue;
      CheckGain(gain);
      taken.push_back({static_cast<uint32_t>(rows.columns[0].doubles()[row]), gain});
    }
  }
  void Merge(State& other) override {
    const auto& more = static_cast<TakenState&>(other);
    taken.insert(taken.end(), more.taken.begin(), more.taken.end());
  }
  std::string Finish() override {
    std::sort(taken.begin(), taken.end(), [](const ml::TakenItem& a, const ml::TakenItem& b) {
      return a.item != b.item ? a.item < b.item : a.gain < b.gain;
    });
    size_t kept = 0;
    for (const ml::TakenItem& item : taken) {
      if (kept > 0 && taken[kept - 1].item == item.item)
        taken[kept - 1].gain += item.gain;
      else
        taken[kept++] = item;
    }
    return {reinterpret_cast<const char*>(taken.data()), kept * sizeof(ml::TakenItem)};
  }

  std::vector<ml::TakenItem> taken;
};

ml::UserItems ReadTaken(int64_t user, std::string_view bytes) {
  ml::UserItems items{.user = static_cast<uint32_t>(user), .taken = {}};
  items.taken.resize(bytes.size() / sizeof(ml::TakenItem));
  std::memcpy(items.taken.data(), bytes.data(), bytes.size());
  return items;
}

// Columns: the model, a user's place, and the bytes of what the user took to (at least one item).
void ScoreRanking(const ml::Model& model, const Batch& arguments, engine::VectorWriter out) {
  std::vector<ml::UserItems> users;
  for (size_t row = 0; row < arguments.rows; ++row)
    users.push_back(
        ReadTaken(arguments.columns[1].integers()[row], arguments.columns[2].strings()[row]));
  const std::vector<ml::UserRanking> rankings = model.Rank(users);
  constexpr double ml::UserRanking::* kFields[] = {
      &ml::UserRanking::average_precision, &ml::UserRanking::normalized_gain,
      &ml::UserRanking::rank_sum, &ml::UserRanking::gain_sum, &ml::UserRanking::squared_error};
  for (size_t field = 0; field < std::size(kFields); ++field) {
    double* numbers = out.Child(field).doubles();
    for (size_t row = 0; row < rankings.size(); ++row) numbers[row] = rankings[row].*kFields[field];
  }
}

}  // namespace

void RegisterRankingFunctions(engine::Connection& connection, ModelStore& store) {
  RegisterScorer(connection, store, "places", 1, "STRUCT(\"user\" BIGINT, item BIGINT)",
                 ScorePlaces);
  engine::Register(connection, engine::AggregateFunction{
                                   .name = "braid_taken_items",
                                   .parameter_count = 2,
                                   .make_state = [] { return std::make_unique<TakenState>(); }});
  engine::ScalarFunction function;
  function.name = std::string(kScoringPrefix) + "ranking";
  function.parameter_types = {"VARCHAR", "BIGINT", "BLOB"};
  function.return_type =
      "STRUCT(average_precision DOUBLE, normalized_gain DOUBLE, rank_sum DOUBLE, gain_sum DOUBLE, "
      "squared_error DOUBLE)";
  function.bind = [&store](auto arguments) {
    return std::make_shared<BoundScoring>(
        BoundScoring{.model = store.Get(arguments[0].constant.value())});
  };
  function.run = [](const std::shared_ptr<void>& bound, const Batch& arguments,
                    engine::VectorWriter out) {
    ScoreRanking(*static_cast<const BoundScoring*>(bound.get())->model->core, arguments, out);
  };
  engine::Register(connection, std::move(function));
}

}  // namespace braid::session
