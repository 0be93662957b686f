// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ml/remote/remote_model.h"
#include "syntax/format.h"
#include "syntax/token.h"
#include "train/training_run.h"

namespace braid::train {

namespace {

struct ExportOptions {
  std::string uri;
  std::string format = "onnx";
};

ExportOptions ReadOptions(const syntax::ExportModel& statement) {
  ExportOptions options;
  for (const Option& option : statement.options) {
    const auto* text = std::get_if<std::string>(&option.value.value);
    if (text != nullptr && option.name == "uri") {
      options.uri = *text;
    } else if (text != nullptr && option.name == "format") {
      options.format = ToLower(*text);
    } else {
      const auto close = ClosestMatch(option.name, {"uri", "format"});
      throw Error(
          ErrorCode::kInvalidOption, "Unknown or ill-typed option: " + option.name,
          close ? fmt::format("did you mean {}?", *close) : "the options are uri and format");
    }
  }
  if (options.uri.empty())
    throw Error(ErrorCode::kInvalidOption, "EXPORT MODEL needs OPTIONS (uri = 'folder')",
                "name a folder to write to");
  if (options.format != "onnx")
    throw Error(ErrorCode::kInvalidOption, "Not an export format: " + options.format,
                "write format = 'onnx'");
  return options;
}

}  // namespace

std::filesystem::path ExportModel(const syntax::ExportModel& statement, const catalog::State& state,
                                  session::ModelStore& models, const std::filesystem::path& root) {
  const ExportOptions options = ReadOptions(statement);
  const auto stored = models.Get(state.Resolve(statement.model).artefact_sha256);
  if (&ml::FindModelKind(stored->core->kind()) == &ml::RemoteKind())
    throw Error(ErrorCode::kExportUnsupported,
                "A remote model has no form in ONNX: only its server knows it");
  for (const session::ProjectedInput& input : stored->projection.inputs)
    if (input.expression != "__braid_row." + syntax::QuoteIdentifier(input.name))
      throw Error(
          ErrorCode::kExportUnsupported,
          fmt::format("An input has no form in ONNX: {} = {}", input.name, input.expression),
          "compute it as a column of the training query, and give that column to the exported "
          "model");
  const std::filesystem::path folder = root / options.uri;
  std::filesystem::create_directories(folder);
  WriteFileDurably(folder / "model.onnx", stored->core->ToOnnx());
  WriteFileDurably(folder / "signature.json", stored->core->Signature());
  return folder;
}

}  // namespace braid::train
