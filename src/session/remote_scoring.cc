// SPDX-License-Identifier: Apache-2.0
// A chunk of rows is one request or some; threads ask side by side.
#include <fmt/format.h>

#include "base/error.h"
#include "engine/functions.h"
#include "ml/remote/remote_model.h"
#include "ml/remote/remote_request.h"
#include "ml/remote/remote_response.h"
#include "session/scoring_internal.h"

namespace braid::session {

namespace {

struct BoundRemote {
  BoundScoring scoring;
  const ml::RemoteModel* model = nullptr;
  const remote::Server* server = nullptr;
  std::shared_ptr<const engine::InterruptWatch> watch;
};

// The answers to some rows of a chunk, in their order.
struct Answered {
  std::vector<size_t> rows;
  std::vector<ml::RemoteValues> values;  // of each output
};

std::vector<ml::RemoteValues> Ask(const BoundRemote& bound, const ml::InferRequest& request,
                                  engine::InterruptWatch::Time begin) {
  const ml::RemoteParts& parts = bound.model->parts();
  const remote::Request sent{.method = "POST",
                             .path = bound.model->Path() + "/infer",
                             .body = request.Body(),
                             .timeout = parts.timeout,
                             .retries = parts.max_retries};
  const std::string answer =
      bound.server->Ask(sent, [&] { return bound.watch->HasBeenSince(begin); });
  try {
    return ml::ReadInferResponse(parts.signature, answer, request.rows());
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{}: POST {}{}", error.message(), bound.server->url(), sent.path),
                error.hint());
  }
}

// Whole requests, until the chunk ends. Rows with NULL are not asked for.
std::vector<Answered> AskAll(const BoundRemote& bound, const Batch& inputs) {
  const auto begin = engine::InterruptWatch::Now();
  const ml::RemoteParts& parts = bound.model->parts();
  const size_t most = parts.signature.one_row ? 1 : parts.max_batching_rows;
  std::vector<Answered> all;
  for (size_t row = 0; row < inputs.rows;) {
    ml::InferRequest request(parts.signature);
    Answered part;
    for (; row < inputs.rows && request.rows() < most; ++row)
      if (request.Add(inputs, row)) part.rows.push_back(row);
    if (part.rows.empty()) continue;
    part.values = Ask(bound, request, begin);
    all.push_back(std::move(part));
  }
  return all;
}

// One field of the answer: for each row a list of the outputs of a family, each a list of values.
class FieldWriter {
 public:
  FieldWriter(const ml::RemoteSignature& signature, const std::vector<Answered>& answered,
              size_t rows, bool (*takes)(ml::RemoteFamily))
      : answered_(answered), rows_(rows) {
    for (size_t i = 0; i < signature.outputs.size(); ++i)
      if (takes(signature.outputs[i].family)) outputs_.push_back(i);
  }

  // `write(values, target, at, from)` copies a value.
  template <typename Write>
  void WriteTo(engine::VectorWriter out, Write write) const {
    size_t count = 0;
    for (const Answered& part : answered_)
      for (const size_t output : outputs_) count += part.rows.size() * part.values[output].width;
    engine::VectorWriter lists = out.ListChild(rows_ * outputs_.size());
    engine::VectorWriter values = lists.ListChild(count);
    // Rows that are not answered have empty lists.
    for (size_t row = 0; row < rows_; ++row) {
      out.SetListEntry(row, row * outputs_.size(), outputs_.size());
      for (size_t k = 0; k < outputs_.size(); ++k)
        lists.SetListEntry(row * outputs_.size() + k, 0, 0);
    }
    size_t at = 0;
    for (const Answered& part : answered_)
      for (size_t i = 0; i < part.rows.size(); ++i)
        for (size_t k = 0; k < outputs_.size(); ++k) {
          const ml::RemoteValues& given = part.values[outputs_[k]];
          lists.SetListEntry(part.rows[i] * outputs_.size() + k, at, given.width);
          for (size_t v = 0; v < given.width; ++v) write(given, i * given.width + v, values, at++);
        }
  }

 private:
  const std::vector<Answered>& answered_;
  size_t rows_;
  std::vector<size_t> outputs_;
};

void ScoreRemote(const BoundRemote& bound, const Batch& arguments, engine::VectorWriter out) {
  const Batch inputs = Inputs(bound.scoring, arguments);
  const std::vector<Answered> answered = AskAll(bound, inputs);
  const ml::RemoteSignature& signature = bound.model->parts().signature;
  const auto writer = [&](bool (*takes)(ml::RemoteFamily)) {
    return FieldWriter(signature, answered, inputs.rows, takes);
  };
  writer([](ml::RemoteFamily family) { return family == ml::RemoteFamily::kNumber; })
      .WriteTo(out.Child(0),
               [](const ml::RemoteValues& given, size_t from, engine::VectorWriter& to, size_t at) {
                 to.doubles()[at] = given.numbers[from];
               });
  writer([](ml::RemoteFamily family) {
    return family == ml::RemoteFamily::kInteger || family == ml::RemoteFamily::kBoolean;
  })
      .WriteTo(out.Child(1),
               [](const ml::RemoteValues& given, size_t from, engine::VectorWriter& to, size_t at) {
                 to.integers()[at] = given.integers[from];
               });
  writer([](ml::RemoteFamily family) { return family == ml::RemoteFamily::kText; })
      .WriteTo(out.Child(2),
               [](const ml::RemoteValues& given, size_t from, engine::VectorWriter& to, size_t at) {
                 to.SetString(at, given.texts[from]);
               });
  std::vector<bool> is_answered(inputs.rows, false);
  for (const Answered& part : answered)
    for (const size_t row : part.rows) is_answered[row] = true;
  for (size_t row = 0; row < inputs.rows; ++row) {
    if (is_answered[row]) continue;
    for (size_t field = 0; field < 3; ++field) out.Child(field).SetNull(row);
    out.SetNull(row);
  }
}

}  // namespace

void RegisterRemoteScorer(engine::Connection& connection, ModelStore& store) {
  engine::ScalarFunction function;
  function.name = std::string(kScoringPrefix) + "remote";
  function.parameter_types = {"VARCHAR"};
  function.varargs_type = "ANY";
  function.return_type = "STRUCT(numbers DOUBLE[][], integers BIGINT[][], texts VARCHAR[][])";
  function.is_volatile = true;
  function.bind_watching = [&store](auto arguments, auto watch) {
    if (arguments.empty() || !arguments[0].constant)
      throw Error(ErrorCode::kInternal, "A scoring function was called without its model");
    auto bound = std::make_shared<BoundRemote>();
    bound->scoring.model = store.Get(*arguments[0].constant);
    bound->model = dynamic_cast<const ml::RemoteModel*>(bound->scoring.model->core.get());
    if (bound->model == nullptr ||
        arguments.size() != bound->model->parts().signature.inputs.size() + 1)
      throw Error(ErrorCode::kInternal,
                  "A scoring function was called with other inputs than its model has");
    bound->server = &store.FindServer(bound->model->parts().connection);
    bound->watch = std::move(watch);
    return bound;
  };
  function.run = [](const std::shared_ptr<void>& bound, const Batch& arguments,
                    engine::VectorWriter out) {
    ScoreRemote(*static_cast<const BoundRemote*>(bound.get()), arguments, out);
  };
  engine::Register(connection, std::move(function));
}

}  // namespace braid::session
