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

std::string MomentsFunction(engine::Connection& connection, size_t inputs, bool described) {
  std::string name = fmt::format("braid_{}gram_{}", described ? "described_" : "", inputs);
  const bool known = connection
                         .Query(fmt::format("FROM duckdb_functions() WHERE function_name = {}",
                                            syntax::QuoteString(name)))
                         .Next()
                         .has_value();
  if (known) return name;
  engine::AggregateFunction function{.name = name, .parameter_count = inputs + 1, .make_state = {}};
  if (described) {
    function.make_state = [inputs] { return std::make_unique<DescribedMoments>(inputs); };
  } else {
    function.make_state = [inputs] { return std::make_unique<GramState>(inputs); };
  }
  engine::Register(connection, std::move(function));
  return name;
}

FinishedMoments GatherMoments(engine::Connection& connection, size_t inputs,
                              const std::string& list, const std::string& from, bool one_thread) {
  DescribedMoments moments(inputs);
  if (one_thread) {
    QueryRows(connection, fmt::format("SELECT {} FROM {}", list, from))
        .Scan([&moments](const Batch& batch) { moments.Add(batch); });
  } else {
    engine::Result result = connection.Query(fmt::format(
        "SELECT {}({}) FROM {}", MomentsFunction(connection, inputs, true), list, from));
    const std::optional<engine::Chunk> chunk = result.Next();
    const ColumnView& finished = chunk->AsBatch().columns.at(0);
    if (finished.IsValid(0)) return ReadDescribedMoments(finished.strings()[0]);
  }
  return {std::move(moments.gram), moments.Statistics()};
}

}  // namespace braid::train
