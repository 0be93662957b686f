// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ml/import.h"
#include "ml/model.h"
#include "ml/onnx/onnx_session.h"

namespace braid::ml {

// Everything that makes an OnnxModel.
struct OnnxParts {
  std::string file;                // its bytes
  std::vector<InputColumn> given;  // as ImportRequest::inputs
  std::string label;               // empty: its outputs are columns of their own
  ClassLabels classes;             // in the order of the output; empty: no classification
  std::string output;              // the one that answers; empty: the first that fits
};

// A graph of ONNX as a model. With a label and classes it classifies by an output of probabilities
// (one a class, or one of the second of two), with a label alone it predicts a number, without one
// its outputs of numbers are columns. A missing number is NaN where the graph takes fractions; a
// row with a NULL that the graph has no form for is answered by NaN.
class OnnxModel final : public Model {
 public:
  // Runs the graph once, so that what cannot answer is refused. Throws kModelImport,
  // kInvalidOption.
  explicit OnnxModel(OnnxParts parts);
  // Throws kLakeDamaged, kLakeFormat.
  static std::unique_ptr<Model> FromArtefact(std::string_view artefact);

  std::string_view kind() const override { return "onnx"; }
  Task task() const override;
  std::vector<InputColumn> input_columns() const override { return inputs_; }
  const std::vector<std::string>& classes() const override { return classes_; }
  int64_t rows() const override { return 0; }
  size_t score_count() const override;
  std::vector<std::string> score_names() const override { return names_; }
  bool may_be_silent() const override { return true; }
  void Score(const Batch& inputs, std::span<double> out) const override;
  std::string ToArtefact() const override;
  std::string ToOnnx() const override { return parts_.file; }
  std::string Signature() const override;

  const std::string& label() const { return parts_.label; }
  const std::string& label_type() const { return parts_.classes.type; }  // of a classification
  const std::vector<ImportedColumn>& columns() const { return columns_; }

 private:
  // How an input of the graph is filled.
  struct Feed {
    size_t width = 1;            // numbers or texts a row
    std::vector<int64_t> shape;  // of a row
    bool has_null_text = false;
    std::string null_text;  // what stands for a NULL
  };

  void ReadSignature();
  void MakeFeeds();
  Feed MakeFeed(const OnnxPort& port);
  void NameInputs();
  void ChooseOutputs();
  size_t WidthOf(const OnnxNumbers& numbers, size_t rows) const;
  // The values of rows begin … end; those with a NULL that has no form are marked.
  std::vector<OnnxValues> ValuesOf(const Batch& inputs, size_t begin, size_t end,
                                   std::vector<char>& unknown) const;
  void Answer(const Batch& inputs, size_t begin, size_t end, std::span<double> out) const;
  void Spread(const std::vector<OnnxNumbers>& numbers, size_t rows, std::span<double> out) const;

  OnnxParts parts_;
  OnnxSession session_;
  std::vector<Feed> feeds_;
  bool one_row_ = false;  // the graph takes one row at a time
  std::vector<InputColumn> inputs_;
  std::vector<ImportedColumn> columns_;
  std::vector<std::string> classes_;  // ascending
  std::vector<size_t> order_;         // the places of classes_ in the output
  std::vector<size_t> outputs_;       // places in the session's outputs
  std::vector<size_t> widths_;        // of each of outputs_
  std::vector<std::string> names_;    // of the columns, without a label
};

}  // namespace braid::ml
