// SPDX-License-Identifier: Apache-2.0
#include "ml/onnx/onnx_kind.h"

#include "ml/onnx/onnx_model.h"
#include "ml/option_reader.h"

namespace braid::ml {

namespace {

ImportedModel Import(const ImportRequest& request) {
  auto model = std::make_unique<OnnxModel>(
      OnnxParts{.file = request.file,
                .given = request.inputs,
                .label = request.label,
                .classes = ReadClassLabels(request.settings),
                .output = OptionReader(request.settings).Text("output").value_or("")});
  ImportedModel imported{.columns = model->columns()};
  if (model->task() == Task::kClassification)
    imported.label_type = model->label_type();
  else if (model->task() == Task::kRegression)
    imported.label_type = "DOUBLE";
  imported.label = model->label();
  imported.model = std::move(model);
  return imported;
}

}  // namespace

const ModelKind& OnnxKind() {
  static const ModelKind kind = {.name = "onnx",
                                 .task = Task::kProjection,
                                 .option_names = {"model_path", "class_labels", "output"},
                                 .check_options =
                                     [](const std::vector<Option>& options) {
                                       ReadClassLabels(options);
                                       OptionReader(options).Text("output");
                                     },
                                 .import = Import,
                                 .load = OnnxModel::FromArtefact};
  return kind;
}

}  // namespace braid::ml
