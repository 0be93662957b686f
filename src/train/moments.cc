// SPDX-License-Identifier: Apache-2.0
#include "train/moments.h"

#include <fmt/format.h>

#include "engine/functions.h"
#include "train/training_rows.h"

namespace braid::train {

namespace {

// The aggregate that gathers them, by the number of inputs: DescribedMoments is its state.
std::string DescribedFunction(engine::Connection& connection, size_t inputs) {
  std::string name = fmt::format("braid_described_gram_{}", inputs);
  engine::RegisterOnce(connection,
                       {.name = name, .parameter_count = inputs + 1, .make_state = [inputs] {
                          return std::make_unique<DescribedMoments>(inputs);
                        }});
  return name;
}

}  // namespace

FinishedMoments GatherMoments(engine::Connection& connection, size_t inputs,
                              const std::string& list, const std::string& from, bool one_thread) {
  DescribedMoments moments(inputs);
  if (one_thread) {
    QueryRows(connection, fmt::format("SELECT {} FROM {}", list, from))
        .Scan([&moments](const Batch& batch) { moments.Add(batch); });
  } else {
    engine::Result result = connection.Query(
        fmt::format("SELECT {}({}) FROM {}", DescribedFunction(connection, inputs), list, from));
    const std::optional<engine::Chunk> chunk = result.Next();
    const ColumnView& finished = chunk->AsBatch().columns.at(0);
    if (finished.IsValid(0)) return ReadDescribedMoments(finished.strings()[0]);
  }
  return {std::move(moments.gram), moments.Statistics()};
}

}  // namespace braid::train
