// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ml/model.h"
#include "ml/model_kind.h"
#include "ml/remote/remote_signature.h"

namespace braid::ml {

// What CREATE MODEL … REMOTE WITH CONNECTION c OPTIONS (…) says.
struct RemoteParts {
  std::string connection;
  std::string endpoint;       // the model's name on the server
  std::string model_version;  // empty: which one the server decides
  std::chrono::milliseconds timeout{30'000};
  int64_t max_retries = 3;
  size_t max_batching_rows = 0;
  RemoteSignature signature;
};

// The most rows that come at once.
inline constexpr size_t kMostBatchingRows = 2048;

// Reads the options of a remote model; throws kInvalidOption.
RemoteParts ReadRemoteOptions(const std::vector<Option>& options);

// A model that a server answers for. What is asked and how the answer is read stands here; who asks
// is `session`, since a model knows no servers.
class RemoteModel final : public Model {
 public:
  explicit RemoteModel(RemoteParts parts) : parts_(std::move(parts)) {}
  // Throws kLakeDamaged, kLakeFormat.
  static std::unique_ptr<Model> FromArtefact(std::string_view artefact);

  std::string_view kind() const override { return "remote"; }
  Task task() const override { return Task::kProjection; }
  std::vector<InputColumn> input_columns() const override;
  int64_t rows() const override { return 0; }
  size_t score_count() const override { return 0; }
  // Throws kNotSupported: it has no numbers that could be computed here.
  void Score(const Batch& inputs, std::span<double> out) const override;
  std::string ToArtefact() const override;

  const RemoteParts& parts() const { return parts_; }
  // "/v2/models/m" or "/v2/models/m/versions/v".
  std::string Path() const;

 private:
  RemoteParts parts_;
};

const ModelKind& RemoteKind();

}  // namespace braid::ml
