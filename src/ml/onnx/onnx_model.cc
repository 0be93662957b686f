// SPDX-License-Identifier: Apache-2.0
#include "ml/onnx/onnx_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/base64.h"
#include "base/error.h"
#include "ml/artefact_json.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.onnx";
constexpr int kVersion = 1;

}  // namespace

OnnxModel::OnnxModel(OnnxParts parts) : parts_(std::move(parts)), session_(parts_.file) {
  MakeFeeds();
  ReadSignature();
  NameInputs();
  for (const size_t place : order_ = parts_.classes.Ascending())
    classes_.push_back(parts_.classes.texts[place]);
  if (!classes_.empty() && parts_.label.empty()) parts_.label = "label";
  ChooseOutputs();
}

Task OnnxModel::task() const {
  if (!classes_.empty()) return Task::kClassification;
  return parts_.label.empty() ? Task::kProjection : Task::kRegression;
}

size_t OnnxModel::score_count() const {
  if (!classes_.empty()) return classes_.size();
  return parts_.label.empty() ? names_.size() : 1;
}

std::vector<OnnxValues> OnnxModel::ValuesOf(const Batch& inputs, size_t begin, size_t end,
                                            std::vector<char>& unknown) const {
  std::vector<OnnxValues> values;
  size_t first = 0;
  for (size_t n = 0; n < feeds_.size(); ++n) {
    const Feed& feed = feeds_[n];
    OnnxValues& filled = values.emplace_back();
    filled.shape = {static_cast<int64_t>(end - begin)};
    filled.shape.insert(filled.shape.end(), feed.shape.begin(), feed.shape.end());
    if (session_.inputs()[n].element == OnnxElement::kString) {
      auto& texts = filled.values.emplace<std::vector<std::string_view>>();
      for (size_t row = begin; row < end; ++row)
        for (size_t c = first; c < first + feed.width; ++c) {
          const bool valid = inputs.columns[c].IsValid(row);
          texts.push_back(valid ? inputs.columns[c].strings()[row]
                                : std::string_view(feed.null_text));
          if (!valid && !feed.has_null_text) unknown[row - begin] = 1;
        }
    } else {
      const bool has_nan = session_.inputs()[n].element == OnnxElement::kFloat ||
                           session_.inputs()[n].element == OnnxElement::kDouble;
      auto& numbers = filled.values.emplace<std::vector<double>>();
      for (size_t row = begin; row < end; ++row)
        for (size_t c = first; c < first + feed.width; ++c) {
          const bool valid = inputs.columns[c].IsValid(row);
          const double missing = has_nan ? std::numeric_limits<double>::quiet_NaN() : 0;
          numbers.push_back(valid ? inputs.columns[c].doubles()[row] : missing);
          if (!valid && !has_nan) unknown[row - begin] = 1;
        }
    }
    first += feed.width;
  }
  return values;
}

// From the outputs' order to the scores'.
void OnnxModel::Spread(const std::vector<OnnxNumbers>& numbers, size_t rows,
                       std::span<double> out) const {
  const size_t scores = score_count();
  for (size_t n = 0, first = 0; n < numbers.size(); first += widths_[n++]) {
    if (WidthOf(numbers[n], rows) != widths_[n])
      throw Error(ErrorCode::kModelInput,
                  "The model's output changed its shape: " + session_.outputs()[outputs_[n]].name);
    const std::vector<double>& values = numbers[n].values;
    for (size_t row = 0; row < rows; ++row) {
      double* const to = out.data() + row * scores;
      if (classes_.size() == 2 && widths_[n] == 1) {
        to[order_[0]] = 1 - values[row];
        to[order_[1]] = values[row];
      } else {
        for (size_t k = 0; k < widths_[n]; ++k)
          to[first + k] = values[row * widths_[n] + (order_.empty() ? k : order_[k])];
      }
    }
  }
}

void OnnxModel::Answer(const Batch& inputs, size_t begin, size_t end, std::span<double> out) const {
  std::vector<char> unknown(end - begin, 0);
  Spread(session_.Run(ValuesOf(inputs, begin, end, unknown), outputs_), end - begin, out);
  const size_t scores = score_count();
  for (size_t row = 0; row < unknown.size(); ++row)
    if (unknown[row] != 0)
      std::fill_n(out.data() + row * scores, scores, std::numeric_limits<double>::quiet_NaN());
}

void OnnxModel::Score(const Batch& inputs, std::span<double> out) const {
  CheckInputs(inputs);
  if (inputs.rows == 0) return;
  if (!one_row_) return Answer(inputs, 0, inputs.rows, out);
  for (size_t row = 0; row < inputs.rows; ++row)
    Answer(inputs, row, row + 1, out.subspan(row * score_count(), score_count()));
}

std::string OnnxModel::ToArtefact() const {
  Json given = Json::array();
  for (const InputColumn& input : parts_.given)
    given.push_back({{"name", input.name},
                     {"kind", input.kind == InputKind::kNumeric ? "numeric" : "category"}});
  return DumpArtefact({{"format", kFormat},
                       {"version", kVersion},
                       {"given", std::move(given)},
                       {"label", parts_.label},
                       {"classes", parts_.classes.texts},
                       {"class_type", parts_.classes.type},
                       {"output", parts_.output},
                       {"file", EncodeBase64(parts_.file)}});
}

std::unique_ptr<Model> OnnxModel::FromArtefact(std::string_view artefact) {
  const Json json = ParseArtefact(artefact, kFormat, kVersion);
  try {
    OnnxParts parts;
    parts.label = json.at("label").get<std::string>();
    parts.output = json.at("output").get<std::string>();
    for (const Json& input : json.at("given"))
      parts.given.push_back(
          {input.at("name").get<std::string>(), input.at("kind").get<std::string>() == "numeric"
                                                    ? InputKind::kNumeric
                                                    : InputKind::kCategory});
    parts.classes.texts = json.at("classes").get<std::vector<std::string>>();
    parts.classes.type = json.at("class_type").get<std::string>();
    std::optional<std::string> file = DecodeBase64(json.at("file").get_ref<const std::string&>());
    if (!file) MalformedArtefact("the file is no base64");
    parts.file = std::move(*file);
    return std::make_unique<OnnxModel>(std::move(parts));
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  } catch (const std::logic_error& error) {
    MalformedArtefact(error.what());  // classes that are not of their type
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kLakeDamaged) throw;
    MalformedArtefact(error.message());
  }
}

std::string OnnxModel::Signature() const {
  Json inputs = Json::array();
  for (const InputColumn& input : inputs_)
    inputs.push_back(
        {{"name", input.name}, {"type", input.kind == InputKind::kNumeric ? "double" : "string"}});
  Json outputs = Json::array();
  for (size_t n = 0; n < outputs_.size(); ++n)
    outputs.push_back({{"name", session_.outputs()[outputs_[n]].name}, {"width", widths_[n]}});
  if (!classes_.empty()) outputs[0]["classes"] = parts_.classes.texts;
  return Json{{"format", "braid.signature"},
              {"version", 1},
              {"model_type", "onnx"},
              {"inputs", std::move(inputs)},
              {"outputs", std::move(outputs)}}
      .dump();
}

}  // namespace braid::ml
