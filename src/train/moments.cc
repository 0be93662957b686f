// SPDX-License-Identifier: Apache-2.0
#include "train/moments.h"

#include <fmt/format.h>

#include "engine/functions.h"
#include "syntax/format.h"
#include "train/training_rows.h"

namespace braid::train {

namespace {

struct GramState final : engine::AggregateFunction::State {
  explicit GramState(size_t inputs) : gram(inputs) {}
  void Add(const Batch& rows) override { gram.Add(rows); }
  void Merge(State& other) override { gram.Merge(static_cast<GramState&>(other).gram); }
  std::string Finish() override { return gram.Serialize(); }
  ml::GramAccumulator gram;
};

}  // namespace

std::string MomentsFunction(engine::Connection& connection, size_t inputs) {
  std::string name = fmt::format("braid_gram_{}", inputs);
  const bool known = connection
                         .Query(fmt::format("FROM duckdb_functions() WHERE function_name = {}",
                                            syntax::QuoteString(name)))
                         .Next()
                         .has_value();
  if (!known)
    engine::Register(connection,
                     engine::AggregateFunction{
                         .name = name, .parameter_count = inputs + 1, .make_state = [inputs] {
                           return std::make_unique<GramState>(inputs);
                         }});
  return name;
}

ml::GramAccumulator GatherMoments(engine::Connection& connection, size_t inputs,
                                  const std::string& list, const std::string& from,
                                  bool one_thread) {
  ml::GramAccumulator gram(inputs);
  if (one_thread) {
    QueryRows(connection, fmt::format("SELECT {} FROM {}", list, from))
        .Scan([&gram](const Batch& batch) { gram.Add(batch); });
    return gram;
  }
  engine::Result result = connection.Query(
      fmt::format("SELECT {}({}) FROM {}", MomentsFunction(connection, inputs), list, from));
  const std::optional<engine::Chunk> chunk = result.Next();
  const ColumnView& sums = chunk->AsBatch().columns.at(0);
  return sums.IsValid(0) ? ml::GramAccumulator::Deserialize(sums.strings()[0]) : std::move(gram);
}

}  // namespace braid::train
