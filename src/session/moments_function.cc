// SPDX-License-Identifier: Apache-2.0
#include "session/moments_function.h"

#include <fmt/format.h>

#include "engine/functions.h"
#include "ml/gram.h"

namespace braid::session {

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
  engine::RegisterOnce(connection,
                       {.name = name, .parameter_count = inputs + 1, .make_state = [inputs] {
                          return std::make_unique<GramState>(inputs);
                        }});
  return name;
}

}  // namespace braid::session
