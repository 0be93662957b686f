// SPDX-License-Identifier: Apache-2.0
// ML.PREDICT of remote models as SQL.
#include <fmt/format.h>

#include "ml/remote/remote_model.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

const ml::RemoteModel& RemoteOf(const BoundModel& model) {
  return dynamic_cast<const ml::RemoteModel&>(*model.stored.core);
}

// The field of the answer, and the place in it, where an output's values stand.
struct Slot {
  const char* field;
  size_t place;  // from 1
};

std::vector<Slot> SlotsOf(const ml::RemoteSignature& signature) {
  size_t numbers = 0;
  size_t integers = 0;
  size_t texts = 0;
  std::vector<Slot> slots;
  for (const ml::RemotePort& port : signature.outputs) {
    if (port.family == ml::RemoteFamily::kNumber)
      slots.push_back({"numbers", ++numbers});
    else if (port.family == ml::RemoteFamily::kText)
      slots.push_back({"texts", ++texts});
    else
      slots.push_back({"integers", ++integers});
  }
  return slots;
}

}  // namespace

bool IsRemote(const BoundModel& model) { return model.stored.core->kind() == "remote"; }

std::string RemoteCall(const BoundModel& model) {
  std::string call = "braid_score_remote(" + syntax::QuoteString(model.version.artefact_sha256);
  const auto& ports = RemoteOf(model).parts().signature.inputs;
  for (size_t i = 0; i < ports.size(); ++i)
    call += fmt::format(", CAST(({}) AS {})", model.stored.projection.inputs.at(i).expression,
                        ml::CarrierType(ports[i]));
  return call + ")";
}

std::string RemoteColumns(const BoundModel& model) {
  const ml::RemoteSignature& signature = RemoteOf(model).parts().signature;
  const std::vector<Slot> slots = SlotsOf(signature);
  std::string columns;
  for (size_t i = 0; i < slots.size(); ++i)
    columns += fmt::format("{}CAST(__braid_p.{}[{}]{} AS {}) AS {}", columns.empty() ? "" : ", ",
                           slots[i].field, slots[i].place,
                           signature.outputs[i].is_list ? "" : "[1]", signature.outputs[i].type,
                           syntax::QuoteIdentifier(signature.outputs[i].column));
  return columns;
}

}  // namespace braid::session
